import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { controllerRings, events, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
  type RingResource,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { stringify } from 'yaml';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import type { RunningProcess } from '../harness/processes.ts';
import { createRing, startSharder } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';

const manifests = fileURLToPath(new URL('../../manifests', import.meta.url));
const account = `system:serviceaccount:${sharderNamespace}:sharder`;
const roleName = 'resources-of-the-ring';

export const namespace = 'rights';

/** Verbs by resource, as a ClusterRole has them. */
export type Rights = Record<string, { group?: string; verbs: string[] }>;

/** A ring in a cluster where the sharder runs as its ServiceAccount, with the rights of the manifests and those granted. */
export class RightsWorld {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
  readonly ring: string;
  readonly #t: TestContext;
  readonly #kubeconfigPath: string;

  private constructor(
    t: TestContext,
    controlPlane: ControlPlane,
    client: KubeClient,
    [ring, kubeconfigPath]: [string, string],
  ) {
    this.#t = t;
    this.controlPlane = controlPlane;
    this.client = client;
    this.ring = ring;
    this.#kubeconfigPath = kubeconfigPath;
  }

  static async start(t: TestContext, ring: string, resources: RingResource[]): Promise<RightsWorld> {
    const controlPlane = await startControlPlane();
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    t.after(async () => {
      await transport.close();
      await controlPlane.stop();
    });
    const client = new KubeClient(transport);
    await client.create(namespaces, namespaceNamed(namespace));
    await createRing(client, {
      apiVersion: controllerRingApiVersion,
      metadata: { name: ring },
      spec: {
        resources,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      },
    });
    await controlPlane.kubectl(['apply', '-k', join(manifests, 'sharder/default')]);
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${sharderNamespace}`];
    const kubeconfigPath = await controlPlane.userKubeconfig(account, groups);
    return new RightsWorld(t, controlPlane, client, [ring, kubeconfigPath]);
  }

  /** The sharder's rights to the ring's resources are these from now on. */
  async grant(rights: Rights): Promise<void> {
    const rules = Object.entries(rights).map(([resource, { group = '', verbs }]) => ({
      apiGroups: [group],
      resources: [resource],
      verbs,
    }));
    const api = 'rbac.authorization.k8s.io';
    const role = {
      apiVersion: `${api}/v1`,
      kind: 'ClusterRole',
      metadata: { name: roleName },
      rules,
    };
    const binding = {
      apiVersion: `${api}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: roleName },
      roleRef: { apiGroup: api, kind: 'ClusterRole', name: roleName },
      subjects: [{ kind: 'ServiceAccount', name: 'sharder', namespace: sharderNamespace }],
    };
    const input = `${stringify(role)}---\n${stringify(binding)}`;
    await this.controlPlane.kubectl(['apply', '-f', '-'], { input });
  }

  async sharder(webhook: object, config: object = {}): Promise<RunningProcess> {
    const { logFolder } = this.controlPlane;
    const kubeconfigPath = this.#kubeconfigPath;
    const sharder = await startSharder({ kubeconfigPath, logFolder, webhook, config });
    this.#t.after(() => sharder.stop('SIGKILL'));
    return sharder;
  }

  /** Waits for a line in the sharder's log. */
  async logged(line: RegExp): Promise<void> {
    const file = join(this.controlPlane.logFolder, 'sharder.log');
    await waitFor(`${line} in the log`, async () => line.test(await readFile(file, 'utf8')), {
      timeoutMs: 30_000,
    });
  }

  /** Waits until the ring says that of itself, as `status reason: message`; how many ms that took. */
  async ready(expected: RegExp): Promise<number> {
    const since = performance.now();
    let last = '';
    await waitFor(
      'the condition of the ring',
      async () => {
        const { status } = await this.client.get<ControllerRing>(controllerRings, { name: this.ring });
        const condition = status?.conditions?.find(({ type }) => type === 'Ready');
        last = condition ? `${condition.status} ${condition.reason}: ${condition.message}` : 'none';
        return expected.test(last);
      },
      { timeoutMs: 45_000, everyMs: 100 },
    ).catch((error: unknown) => {
      throw new Error(`not ${expected}: ${last}`, { cause: error });
    });
    return Math.round(performance.now() - since);
  }

  /** Waits for an Event about the ring. */
  async told(reason: string, note: RegExp): Promise<void> {
    const fieldSelector = `regarding.name=${this.ring}`;
    await waitFor(
      `the Event ${reason}`,
      async () => {
        const { items } = await this.client.listPage<KubeObject & { reason?: string; note?: string }>(
          events,
          'full',
          { fieldSelector },
        );
        return items.some((event) => event.reason === reason && note.test(event.note ?? ''));
      },
      { timeoutMs: 30_000, everyMs: 200 },
    );
  }

  /** Creates an object; the shard that it came back with. */
  async create(
    resource: Resource,
    name: string,
    metadata: Partial<KubeObject['metadata']> = {},
  ): Promise<{ uid: string; shard: string | undefined }> {
    const object = await this.client.create<KubeObject>(resource, {
      metadata: { namespace, name, ...metadata },
    });
    return { uid: object.metadata.uid ?? '', shard: object.metadata.labels?.[shardLabel(this.ring)] };
  }

  /** Shard of each object, by name. */
  async shards(resource: Resource): Promise<Map<string, string | undefined>> {
    const found = new Map<string, string | undefined>();
    for await (const { items } of this.client.list(resource, 'metadata', { namespace })) {
      for (const { metadata } of items) found.set(metadata.name, metadata.labels?.[shardLabel(this.ring)]);
    }
    return found;
  }

  /** Waits until an object has a shard; how many ms that took. */
  async assigned(resource: Resource, name: string): Promise<number> {
    const since = performance.now();
    const label = shardLabel(this.ring);
    await waitFor(
      `the shard of ${name}`,
      async () => (await this.client.getMetadata(resource, { namespace, name })).metadata.labels?.[label],
      { timeoutMs: 45_000, everyMs: 100 },
    );
    return Math.round(performance.now() - since);
  }
}
