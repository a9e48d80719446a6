import { isDeepStrictEqual } from 'node:util';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isAlreadyExists } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { controllerOf, objectKey } from '@controller-sharding/shared/kube/types.ts';
import { isShardingLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { OwnerWriter } from '@controller-sharding/shared/sharding/fenced-writer.ts';
import type { ReconcileRequest } from '@controller-sharding/shared/sharding/shard-options.ts';
import { type ConfigMap, checksumsOf, type Secret } from './checksums.ts';

/** Keeps, for a Secret, the ConfigMap with the checksums of its data. */
export function checksumReconciler(client: Pick<ApiClient, 'get'>) {
  return async ({ object: secret, writer, controlled, signal }: ReconcileRequest<Secret>): Promise<void> => {
    if (secret.metadata.deletionTimestamp !== undefined) return;
    const wanted = checksumsOf(secret);
    const known = controlled(configMaps).find(({ metadata }) => metadata.name === wanted.metadata.name);
    if (known !== undefined) return update(writer, known, wanted);
    try {
      await writer.create(configMaps, wanted);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // Not in the cache yet, or somebody else's.
      const live = await client.get<ConfigMap>(configMaps, wanted.metadata, { signal });
      if (controllerOf(live)?.uid !== secret.metadata.uid) {
        throw new Error(`ConfigMap ${objectKey(live.metadata)} exists and is not controlled by this Secret`, {
          cause: error,
        });
      }
      await update(writer, live, wanted);
    }
  };
}

/** Writes only what differs, and only over the version that was read. */
async function update(
  writer: OwnerWriter,
  existing: ConfigMap & { immutable?: boolean },
  wanted: ConfigMap,
): Promise<void> {
  const sharding = Object.entries(existing.metadata.labels ?? {}).filter(([label]) => isShardingLabel(label));
  const labels = { ...wanted.metadata.labels, ...Object.fromEntries(sharding) };
  if (
    isDeepStrictEqual(existing.metadata.labels, labels) &&
    isDeepStrictEqual(existing.data ?? {}, wanted.data)
  )
    return;
  if (existing.immutable === true && existing.metadata.uid !== undefined) {
    // It can only be made anew, which its deletion brings about.
    await writer.delete(configMaps, existing.metadata, { uid: existing.metadata.uid });
    return;
  }
  await writer.update(configMaps, {
    ...existing,
    metadata: { ...existing.metadata, labels },
    data: wanted.data,
  });
}
