import { type KubeObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { controllerInRing, type MainResource, mainOf, type RingScope } from './ring-scope.ts';

/** As each scope is asked about for every object. */
const labelledScopes = new WeakMap<RingScope, RingScope>();

/** The ring with all that may carry its labels: its resources, and those that left it; each main resource once. */
export function labelledScope(scope: RingScope): RingScope {
  const known = labelledScopes.get(scope);
  if (known !== undefined) return known;
  const mains = new Map<string, MainResource>();
  for (const { resource, controlled } of [...scope.mains, ...scope.former]) {
    const name = resourceName(resource);
    const all = [...(mains.get(name)?.controlled ?? []), ...controlled];
    const unique = new Map(all.map((entry) => [resourceName(entry), entry]));
    mains.set(name, { resource, controlled: [...unique.values()] });
  }
  const labelled = { ...scope, mains: [...mains.values()] };
  labelledScopes.set(scope, labelled);
  return labelled;
}

/**
 * Whether an object is no longer the ring's: its namespace or its resource isn't selected any more. False while its
 * namespace is not known, and for what never was the ring's.
 */
export function hasLeft(scope: RingScope, resource: Resource, object: KubeObject): boolean {
  const selected = scope.selects(object.metadata.namespace);
  if (selected !== true) return selected === false;
  return !isOf(scope, resource, object) && isOf(labelledScope(scope), resource, object);
}

const isOf = (scope: RingScope, resource: Resource, object: KubeObject): boolean =>
  mainOf(scope, resource) !== undefined || controllerInRing(scope, resource, object) !== undefined;
