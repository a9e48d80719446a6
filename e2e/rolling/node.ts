import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';

const nodes: Resource = { group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false };

export const nodeName = 'node-1';
const namespace = 'kube-node-lease';
const beatMs = 5_000;

/** A node that the controller manager takes for healthy until the signal is aborted. */
export async function keepNode(client: ApiClient, signal: AbortSignal): Promise<void> {
  await client.create<KubeObject>(nodes, { metadata: { name: nodeName } }, { signal });
  const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: new Date() };
  const body = { status: { conditions: [condition] } };
  await client.patchStatus(nodes, { name: nodeName }, { type: 'merge', body }, { signal });
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: 40, renewTime: microTime(new Date()) };
  await client.create<Lease>(leases, { metadata: { name: nodeName, namespace }, spec }, { signal });
  void beat(client, signal).catch(() => undefined);
}

async function beat(client: ApiClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await systemClock.sleep(beatMs, signal);
    const body = { spec: { renewTime: microTime(new Date()) } };
    await client
      .patchMetadata(leases, { name: nodeName, namespace }, { type: 'merge', body }, { signal })
      .catch(() => undefined);
  }
}
