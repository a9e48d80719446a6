import { request } from 'node:https';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import type { ControlPlane } from '../harness/control-plane.ts';

/** Who asks; a pod is known by its token to the API server. */
export interface Caller {
  user: string;
  pod?: { name: string; uid: string };
}

export interface Answer {
  status: number;
  /** Of the object in the answer. */
  labels: Labels;
  message: string;
}

const serviceAccount = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

export const callers = {
  user: { user: 'jane' },
  'foreign account': { user: serviceAccount('other', 'robot') },
  sharder: { user: serviceAccount('sharding-system', 'sharder') },
  'shard a': { user: serviceAccount('op', 'operator'), pod: { name: 'a', uid: 'pod-of-a' } },
  'shard b': { user: serviceAccount('op', 'operator'), pod: { name: 'b', uid: 'pod-of-b' } },
  'new pod of a': { user: serviceAccount('op', 'operator'), pod: { name: 'c', uid: 'pod-of-c' } },
  'garbage collector': { user: serviceAccount('kube-system', 'generic-garbage-collector') },
} satisfies Record<string, Caller>;

/** Sends requests in the name of others. */
export class Impersonator {
  readonly #config: ReturnType<typeof loadKubeConfig>;

  constructor({ kubeconfigPath }: ControlPlane) {
    this.#config = loadKubeConfig({ kubeconfig: kubeconfigPath });
  }

  /** `caller` undefined: the administrator. `path` without the server. */
  async ask(
    caller: Caller | undefined,
    method: string,
    path: string,
    body?: object,
    contentType = 'application/json',
  ): Promise<Answer> {
    const { cluster, user } = this.#config;
    const pem = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64');
    const headers: Record<string, string> = { accept: 'application/json', 'content-type': contentType };
    if (caller) headers['impersonate-user'] = caller.user;
    if (caller?.pod) {
      headers['impersonate-extra-authentication.kubernetes.io%2Fpod-name'] = caller.pod.name;
      headers['impersonate-extra-authentication.kubernetes.io%2Fpod-uid'] = caller.pod.uid;
    }
    const text = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sent = request(
        new URL(path, cluster.server),
        { method, headers, ca: pem(cluster.caData), cert: pem(user?.certData), key: pem(user?.keyData) },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
          answer.once('error', reject);
        },
      );
      sent.once('error', reject);
      sent.end(body && JSON.stringify(body));
    });
    const answered: { metadata?: { labels?: Labels }; message?: string } = JSON.parse(text.body);
    return {
      status: text.status,
      labels: answered.metadata?.labels ?? {},
      message: answered.message ?? '',
    };
  }
}
