import type { GroupResource, KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { resourceName } from '@controller-sharding/shared/kube/types.ts';
import { resourcesAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing, RingResource } from '@controller-sharding/shared/sharding/controller-ring.ts';

/** Resources in a record, at most: it is an annotation, which anybody who may edit the ring can write. */
const mostRecorded = 200;

/** What stands in the annotation of the ring; nothing when that makes no sense. */
export function recordedResources({ metadata }: KubeObject): RingResource[] {
  const text = metadata.annotations?.[resourcesAnnotation];
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.slice(0, mostRecorded).flatMap(ringResource) : [];
  } catch {
    return [];
  }
}

/** The record as it must be before anything of the ring is labelled: nothing that stood there is lost. */
export function recordWith(ring: ControllerRing): RingResource[] {
  return merge([...specOf(ring), ...recordedResources(ring)]);
}

/** The record once nothing that left the ring carries a label any more. */
export const recordOfSpec = (ring: ControllerRing): RingResource[] => merge(specOf(ring));

/** What is recorded and no longer in the spec: main resources that left, and controlled ones that left a main one. */
export function formerResources(ring: ControllerRing): RingResource[] {
  const spec = new Map(recordOfSpec(ring).map((entry) => [resourceName(entry), entry]));
  return merge(recordedResources(ring)).flatMap((entry) => {
    const present = spec.get(resourceName(entry));
    if (present === undefined) return [entry];
    const still = new Set(present.controlledResources?.map(resourceName));
    const controlledResources = (entry.controlledResources ?? []).filter(
      (controlled) => !still.has(resourceName(controlled)),
    );
    return controlledResources.length === 0 ? [] : [{ ...entry, controlledResources }];
  });
}

/** All resources of the spec and of the record, main and controlled; some may come twice. */
export const namedResources = (ring: ControllerRing): GroupResource[] =>
  [...specOf(ring), ...recordedResources(ring)].flatMap((main) => [
    main,
    ...(main.controlledResources ?? []),
  ]);

const specOf = (ring: ControllerRing): RingResource[] =>
  (ring.spec?.resources ?? []).flatMap((entry) => ringResource(entry));

/** Each main resource once, with all controlled ones that any entry names; in an order that depends only on content. */
function merge(entries: readonly RingResource[]): RingResource[] {
  const merged = new Map<string, { main: GroupResource; controlled: Map<string, GroupResource> }>();
  for (const entry of entries) {
    const { group, resource, controlledResources = [] } = entry;
    const found = merged.get(resourceName(entry)) ?? { main: { group, resource }, controlled: new Map() };
    for (const controlled of controlledResources) found.controlled.set(resourceName(controlled), controlled);
    merged.set(resourceName(entry), found);
  }
  return sorted(merged).map(({ main, controlled }) => ({ ...main, controlledResources: sorted(controlled) }));
}

const sorted = <T>(entries: ReadonlyMap<string, T>): T[] =>
  [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);

function ringResource(value: unknown): RingResource[] {
  const [main] = groupResource(value);
  if (main === undefined) return [];
  const controlled: unknown = Reflect.get(Object(value), 'controlledResources');
  return [
    { ...main, controlledResources: Array.isArray(controlled) ? controlled.flatMap(groupResource) : [] },
  ];
}

function groupResource(value: unknown): GroupResource[] {
  const group: unknown = Reflect.get(Object(value), 'group') ?? '';
  const resource: unknown = Reflect.get(Object(value), 'resource');
  return typeof group === 'string' && typeof resource === 'string' && resource !== ''
    ? [{ group, resource }]
    : [];
}
