import type { ObjectMeta } from '@controller-sharding/shared/kube/types.ts';

/** What a cache needs to know of an object. */
export const cachedMetadata = ({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta => ({
  name,
  ...(namespace !== undefined && { namespace }),
  ...(uid !== undefined && { uid }),
  ...(resourceVersion !== undefined && { resourceVersion }),
});
