/**
 * How the API server merges a list (in strategic merge patches and in server-side apply): as a set, item by item found
 * by its keys, or as a whole (`atomic`). In it, a map that is `atomic` is replaced as a whole, too.
 */
export type ListType = 'atomic' | 'set' | readonly string[];

/** By field names without list items, counted from the end: `containers.ports`. The longest that fits counts. */
export type ListKeys = Readonly<Record<string, ListType>>;

export const metadataLists: ListKeys = { 'metadata.finalizers': 'set', 'metadata.ownerReferences': ['uid'] };

const podLists: ListKeys = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  'containers.ports': ['containerPort', 'protocol'],
  'initContainers.ports': ['containerPort', 'protocol'],
  'containers.env': ['name'],
  'initContainers.env': ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  volumes: ['name'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  readinessGates: 'atomic',
};

/** Lists of the built-in kinds that are not replaced as a whole. */
export const builtInLists: ListKeys = {
  ...metadataLists,
  ...podLists,
  'status.conditions': ['type'],
  'status.podIPs': ['ip'],
  'spec.ports': ['port', 'protocol'],
  secrets: ['name'],
  webhooks: ['name'],
};

/** Where a strategic merge patch looks at another key than server-side apply. */
export const strategicKeys: ListKeys = {
  ...builtInLists,
  'containers.ports': ['containerPort'],
  'initContainers.ports': ['containerPort'],
  'spec.ports': ['port'],
  topologySpreadConstraints: ['topologyKey'],
};

/** Maps of the built-in kinds that server-side apply replaces as a whole. */
const atomicMaps = new Set([
  'spec.selector',
  'nodeSelector',
  'labelSelector',
  'namespaceSelector',
  'objectSelector',
  'configMapKeyRef',
  'secretKeyRef',
  'fieldRef',
  'resourceFieldRef',
]);

/** Defaults that keys have where an item doesn't say them. */
export const keyDefaults: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

/** `names`: the field names on the way to the list. */
export function listType(keys: ListKeys, names: readonly string[]): ListType {
  for (let from = 0; from < names.length; from += 1) {
    const type = keys[names.slice(from).join('.')];
    if (type) return type;
  }
  return 'atomic';
}

export function isAtomicMap(keys: ListKeys, names: readonly string[]): boolean {
  if (keys !== builtInLists) return false;
  return atomicMaps.has(names.at(-1) ?? '') || atomicMaps.has(names.slice(-2).join('.'));
}
