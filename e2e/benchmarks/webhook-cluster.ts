import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { mutatingWebhookConfigurations, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import type { ControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import type { RunningProcess } from '../harness/processes.ts';
import { createRing, createShard, startSharder } from '../harness/sharder.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import type { BareInput } from './webhook-bare.ts';

export const ring = 'bench';
export const sides = ['none', 'bare', 'ours'] as const;
export type Side = (typeof sides)[number];

const shardCount = 20;
const inRing = { 'bench/ring': 'true' };

/** One namespace for each side, all of them in the ring, so that nothing has to be put right in any. */
export const namespaceOf = (side: Side): string => `bench-${side}`;

/** Makes namespaces, ring and shards; returns the shards' names. */
export async function prepare(client: KubeClient, signal: AbortSignal): Promise<string[]> {
  await client.create(namespaces, namespaceNamed(sharderNamespace), { signal });
  for (const side of sides) {
    const metadata = { name: namespaceOf(side), labels: { ...inRing, side } };
    await client.create(namespaces, { ...namespaceNamed(metadata.name), metadata }, { signal });
  }
  await createRing(client, {
    metadata: { name: ring },
    spec: {
      resources: [{ group: '', resource: 'configmaps' }],
      namespaceSelector: { matchLabels: inRing },
    },
  });
  const shards = Array.from({ length: shardCount }, () => `operator-${randomBytes(5).toString('hex')}`);
  for (const name of shards) await createShard(client, ring, name);
  return shards;
}

/** The sharder as it is installed; its webhook is called for one namespace only. */
export async function startOurs(controlPlane: ControlPlane, signal: AbortSignal): Promise<RunningProcess> {
  const { kubeconfigPath, logFolder } = controlPlane;
  const address = `127.0.0.1:${await freePort()}`;
  const webhook = {
    server: { bindAddress: address },
    config: {
      clientConfig: { url: `https://${address}` },
      namespaceSelector: { matchLabels: { side: 'ours' } },
    },
  };
  return startSharder({ kubeconfigPath, logFolder, webhook, signal });
}

/** Starts the bare webhook and has the API server call it. */
export async function startBare(
  client: KubeClient,
  shard: string,
  signal: AbortSignal,
): Promise<ChildProcess> {
  const authority = await CertificateAuthority.create('bare webhook');
  const pair = await authority.serving('bare webhook', ['127.0.0.1'], []);
  const child = fork(fileURLToPath(new URL('./webhook-bare.ts', import.meta.url)), [], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.on('error', () => {}); // aborted
  const label = shardLabel(ring);
  child.send({ ...pair, label, value: shard } satisfies BareInput);
  const [address]: AddressInfo[] = await once(child, 'message', { signal });
  const webhook = {
    name: 'bare.sharding.timebertt.dev',
    clientConfig: {
      url: `https://127.0.0.1:${address?.port}/`,
      caBundle: Buffer.from(authority.certificate).toString('base64'),
    },
    rules: [{ apiGroups: [''], apiVersions: ['*'], resources: ['configmaps'], operations: ['CREATE'] }],
    failurePolicy: 'Ignore',
    timeoutSeconds: 5,
    sideEffects: 'None',
    objectSelector: { matchExpressions: [{ key: label, operator: 'DoesNotExist' }] },
    namespaceSelector: { matchLabels: { side: 'bare' } },
    admissionReviewVersions: ['v1'],
  };
  const configuration: KubeObject & { webhooks: object[] } = {
    metadata: { name: 'bare' },
    webhooks: [webhook],
  };
  await client.create(mutatingWebhookConfigurations, configuration, { signal });
  return child;
}
