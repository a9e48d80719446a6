import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { leases, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import {
  cordonedAnnotation,
  sharderNamespace,
  shardLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { createRing, createShard } from '../harness/sharder.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { childResource, ownerResource, ring } from './moves-objects.ts';

/**
 * A shard without a process, to which nothing is given: where objects are put aside so that writing them back is the
 * same change of labels, for as many watches, as the move away from a shard that is gone.
 */
export const aside = 'aside';

const namespaceCount = 10;
const createdAtOnce = 64;
const inRing = { 'bench/ring': 'true' };

/** Namespaces, a ring of ConfigMaps that control Secrets, and the shard without a process. */
export async function prepareCluster(client: ApiClient, signal: AbortSignal): Promise<void> {
  await client.create(namespaces, namespaceNamed(sharderNamespace), { signal });
  for (let index = 0; index < namespaceCount; index += 1) {
    await client.create(namespaces, { metadata: { name: namespaceOf(index), labels: inRing } }, { signal });
  }
  await createRing(client, {
    metadata: { name: ring },
    spec: {
      resources: [
        { group: '', resource: 'configmaps', controlledResources: [{ group: '', resource: 'secrets' }] },
      ],
      namespaceSelector: { matchLabels: inRing },
    },
  });
  await createShard(client, ring, aside);
  const body = { metadata: { annotations: { [cordonedAnnotation]: 'true' } } };
  const ref = { namespace: 'default', name: aside };
  await client.patchMetadata(leases, ref, { type: 'merge', body }, { signal });
}

/** So many owners with one child each, spread evenly over these shards from the start. */
export async function createOwners(
  client: ApiClient,
  count: number,
  shards: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await createOwner(client, index, shards[index % shards.length] ?? '', signal);
    }
  };
  await Promise.all(Array.from({ length: createdAtOnce }, work));
}

async function createOwner(
  client: ApiClient,
  index: number,
  shard: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: 60_000 };
  const metadata = {
    name: `object-${String(index).padStart(6, '0')}`,
    namespace: namespaceOf(index),
    labels: { [shardLabel(ring)]: shard },
  };
  const owner = await client.create<KubeObject>(ownerResource, { metadata }, options);
  const ownerReferences = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: metadata.name,
      uid: owner.metadata.uid ?? '',
      controller: true,
    },
  ];
  const child: KubeObject = { metadata: { ...metadata, ownerReferences } };
  await client.create(childResource, child, options);
}

const namespaceOf = (index: number): string => `bench-${index % namespaceCount}`;
