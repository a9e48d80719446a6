import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import type { OwnerReference, PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type { MainResource } from '../rings/ring-scope.ts';

/** The main object that controls an object, as the API server has it now; undefined when that very one is gone. */
export async function readOwner(
  client: Pick<ApiClient, 'getMetadata'>,
  { main, reference }: { main: MainResource; reference: OwnerReference },
  object: PartialObject,
  signal?: AbortSignal,
): Promise<PartialObject | undefined> {
  const { namespace } = object.metadata;
  const ref = { name: reference.name, ...(main.resource.namespaced && { namespace }) };
  try {
    const owner = await client.getMetadata(main.resource, ref, { signal, timeoutMs: sharderRequestMs });
    return owner.metadata.uid === reference.uid ? owner : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
