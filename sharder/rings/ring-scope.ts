import {
  controllerOf,
  type GroupResource,
  type KubeObject,
  type OwnerReference,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';

export interface MainResource {
  resource: Resource;
  /** Resources of the objects that the operator creates for those of the main resource. */
  controlled: Resource[];
}

/** What belongs to a ring, with its resources as the API server serves them now. */
export interface RingScope {
  ring: string;
  mains: MainResource[];
  /** Resources of the ring's spec that the API server doesn't serve. */
  missing: GroupResource[];
  /** Whether the ring selects the namespace; undefined: the namespace is not known (yet). Cluster-scoped: always. */
  selects(namespace: string | undefined): boolean | undefined;
}

/** All resources of a ring, each once. */
export function scopeResources(scope: RingScope): Resource[] {
  const resources = new Map<string, Resource>();
  for (const { resource, controlled } of scope.mains) {
    for (const entry of [resource, ...controlled]) resources.set(resourceName(entry), entry);
  }
  return [...resources.values()];
}

export const mainOf = (scope: RingScope, resource: Resource): MainResource | undefined =>
  scope.mains.find((main) => resourceName(main.resource) === resourceName(resource));

/** The main resource that an object of a controlled resource follows, by what its owner reference says. */
export function controllingMain(
  scope: RingScope,
  resource: Resource,
  object: KubeObject,
): { main: MainResource; reference: OwnerReference } | undefined {
  const reference = controllerOf(object);
  if (reference === undefined) return undefined;
  const slash = reference.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : reference.apiVersion.slice(0, slash);
  const main = scope.mains.find(
    (candidate) =>
      candidate.resource.group === group &&
      candidate.resource.kind === reference.kind &&
      candidate.controlled.some((controlled) => resourceName(controlled) === resourceName(resource)),
  );
  return main && { main, reference };
}
