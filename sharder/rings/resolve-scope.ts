import type { RestMapper } from '@controller-sharding/shared/kube/api-client.ts';
import { isUnknownResource } from '@controller-sharding/shared/kube/errors.ts';
import type { GroupResource, Resource } from '@controller-sharding/shared/kube/types.ts';
import {
  type ControllerRing,
  matchesSelector,
  type RingResource,
  ringNamespaceSelector,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { formerResources } from './labelled-resources.ts';
import type { NamespaceView } from './namespace-view.ts';
import type { ResourceAccess } from './resource-access.ts';
import type { MainResource, RingScope } from './ring-scope.ts';

/**
 * What a ring's spec means on this API server, without the resources that can't be listed. Throws only when discovery
 * itself fails.
 */
export async function resolveScope(
  ring: ControllerRing,
  mapper: RestMapper,
  namespaces: NamespaceView,
  access: Pick<ResourceAccess, 'canList'>,
): Promise<RingScope> {
  const missing: GroupResource[] = [];
  const resolve = async ({ group, resource }: GroupResource): Promise<Resource[]> => {
    try {
      const served = await mapper.resource(group, resource);
      return (await access.canList(served)) ? [served] : [];
    } catch (error) {
      if (!isUnknownResource(error)) throw error;
      missing.push({ group, resource });
      return [];
    }
  };
  const resolveMains = async (entries: readonly RingResource[]): Promise<MainResource[]> => {
    const mains: MainResource[] = [];
    for (const entry of entries) {
      const [resource] = await resolve(entry);
      const controlled: Resource[] = [];
      for (const child of entry.controlledResources ?? []) controlled.push(...(await resolve(child)));
      if (resource !== undefined) mains.push({ resource, controlled });
    }
    return mains;
  };
  // First, so that nobody misses what isn't served and has left the ring anyway.
  const former = await resolveMains(formerResources(ring));
  missing.length = 0;
  const mains = await resolveMains(ring.spec?.resources ?? []);
  const selector = ringNamespaceSelector(ring);
  return {
    ring: ring.metadata.name,
    mains,
    former,
    missing,
    selects: (namespace) => {
      if (namespace === undefined) return true;
      const labels = namespaces.labels(namespace);
      return labels && matchesSelector(selector, labels);
    },
  };
}
