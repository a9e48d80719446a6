import { isDeepStrictEqual } from 'node:util';
import type { Request } from '@controller-sharding/shared/controller/definition.ts';
import * as resources from '@controller-sharding/shared/kube/resources.ts';
import { defineResource } from '@controller-sharding/shared/kube/types.ts';
import { type ConfigMap, checksumsOf, type Secret } from './checksums.ts';

export const secrets = defineResource<Secret>(resources.secrets);
export const configMaps = defineResource<ConfigMap>(resources.configMaps);

/** Keeps, for a Secret, the ConfigMap with the checksums of its data. */
export async function reconcile({ object: secret, client, owned }: Request<Secret>): Promise<void> {
  if (secret.metadata.deletionTimestamp !== undefined) return;
  const wanted = checksumsOf(secret);
  const known = owned(configMaps).find(({ metadata }) => metadata.name === wanted.metadata.name);
  if (known?.immutable === true && !isDeepStrictEqual(known.data ?? {}, wanted.data)) {
    // It can only be made anew, which its deletion brings about.
    await client.delete(configMaps, known.metadata, { uid: known.metadata.uid ?? '' });
    return;
  }
  await client.apply(configMaps, wanted);
}
