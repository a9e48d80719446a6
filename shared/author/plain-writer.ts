import type { ApiClient } from '../kube/api-client.ts';
import { type OwnerWriter, unconditional } from '../sharding/fenced-writer.ts';

/** Writes without a shard, under the same rules for what is written. */
export const plainWriter = (client: ApiClient): OwnerWriter => ({
  create: (resource, object) => client.create(resource, object),
  update: async (resource, object) => {
    if (!object.metadata.resourceVersion) throw unconditional(resource, object);
    return client.update(resource, object);
  },
  updateStatus: async (resource, object) => {
    if (!object.metadata.resourceVersion) throw unconditional(resource, object);
    return client.updateStatus(resource, object);
  },
  patch: (resource, ref, patch) => client.patch(resource, ref, patch),
  patchStatus: (resource, ref, patch) => client.patchStatus(resource, ref, patch),
  delete: (resource, ref, preconditions) => client.delete(resource, ref, preconditions),
});
