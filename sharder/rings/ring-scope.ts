import {
  controllerOf,
  type GroupResource,
  type KubeObject,
  type OwnerReference,
  type Resource,
  refersTo,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';

export interface MainResource {
  resource: Resource;
  /**
   * Resources of what those of the main resource control, and of what that controls in turn: an object of one of these
   * may have a main object for its controller, or an object of another one of these.
   */
  controlled: Resource[];
}

/** What belongs to a ring, with its resources as the API server serves them now. */
export interface RingScope {
  ring: string;
  mains: MainResource[];
  /** What the ring selected before and no longer does: objects of these resources may still carry its labels. */
  former: MainResource[];
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
  scope.mains.find((main) => isSame(main.resource, resource));

/** Resources of what the objects of a resource control in the ring, at any depth; each once. */
export function controlledResources(scope: RingScope, resource: Resource): Resource[] {
  const found: Resource[] = [];
  for (let next = [resource]; next.length > 0; ) {
    const mains = scope.mains.filter(({ resource: main, controlled }) =>
      next.some((controller) => [main, ...controlled].some((entry) => isSame(entry, controller))),
    );
    next = mains.flatMap(({ controlled }) => controlled).filter((entry) => !has(found, entry));
    for (const entry of next) if (!has(found, entry)) found.push(entry);
  }
  return found;
}

/** What controls an object of the ring. */
export interface Controlling {
  /** The controller's resource: a main one, or a controlled one of the same main resource. */
  resource: Resource;
  reference: OwnerReference;
}

/** By an object's owner reference: its controller, if the ring has it as one for such objects. */
export function controllerInRing(
  scope: RingScope,
  resource: Resource,
  object: KubeObject,
): Controlling | undefined {
  const reference = controllerOf(object);
  if (reference === undefined) return undefined;
  for (const { resource: main, controlled } of scope.mains) {
    if (!has(controlled, resource)) continue;
    const found = [main, ...controlled].find((entry) => refersTo(reference, entry));
    // A namespaced object can't own a cluster-scoped one.
    if (found && (resource.namespaced || !found.namespaced)) return { resource: found, reference };
  }
  return undefined;
}

/** Whether an object is one that the ring places: selected, of a main resource, and controlled by nothing of the ring. */
export const isPlaced = (scope: RingScope, resource: Resource, object: KubeObject): boolean =>
  scope.selects(object.metadata.namespace) === true &&
  mainOf(scope, resource) !== undefined &&
  controllerInRing(scope, resource, object) === undefined;

const isSame = (a: GroupResource, b: GroupResource): boolean =>
  a.resource === b.resource && a.group === b.group;

const has = (resources: readonly Resource[], resource: Resource): boolean =>
  resources.some((entry) => isSame(entry, resource));
