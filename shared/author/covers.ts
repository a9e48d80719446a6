import { parseQuantity } from './quantity.ts';

type Fields = Record<string, unknown>;

/**
 * Lists whose elements the API server merges by these fields, in built-in kinds: others may add elements, and fields to
 * ours. All other lists are one value.
 */
const mergeKeys: Record<string, readonly string[]> = {
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
  initContainers: ['name'],
  ownerReferences: ['uid'],
  ports: ['containerPort', 'port', 'protocol'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
};

/** What the API server fills in where a key is left out. */
const keyDefaults: Fields = { protocol: 'TCP' };

/** Maps whose values the API server may write in another way: `0.5` as `500m`. */
const quantityMaps = new Set(['limits', 'requests', 'capacity', 'hard']);

/**
 * Where a value is: the names of the fields from the outside to it, like `spec.containers.tty`; the elements of a list
 * have no names.
 */
export type FieldPath = readonly string[];

/** Whether the API server leaves out an empty value (`{}`, `[]`, `''`, `false`, 0) that was given in this place. */
export type LeavesOut = (path: FieldPath) => boolean;

/**
 * Whether an object as it is has all that is desired, so that applying it changes nothing that is said there. What
 * others have added, or the API server has filled in, doesn't matter. In doubt it is false: applying is never wrong.
 */
export function covers(desired: unknown, live: unknown, leavesOut: LeavesOut, path: FieldPath = []): boolean {
  if (isMissing(live)) return isMissing(desired) || (isEmpty(desired) && leavesOut(path));
  if (Array.isArray(desired)) return Array.isArray(live) && coversList(desired, live, leavesOut, path);
  if (isFields(desired)) {
    return (
      isFields(live) &&
      Object.entries(desired).every(([name, value]) => covers(value, live[name], leavesOut, [...path, name]))
    );
  }
  if (desired === live) return true;
  return quantityMaps.has(path.at(-2) ?? '') && sameQuantity(desired, live);
}

function coversList(desired: unknown[], live: unknown[], leavesOut: LeavesOut, path: FieldPath): boolean {
  const field = path.at(-1) ?? '';
  if (field === 'finalizers') return desired.every((each) => live.includes(each));
  const keys = mergeKeys[field];
  if (keys === undefined) return same(desired, live, leavesOut, path);
  return desired.every((element) => {
    const key = keyOf(element, keys);
    return live.some((other) => keyOf(other, keys) === key && covers(element, other, leavesOut, path));
  });
}

/** An atomic value: nobody may add to it. */
function same(desired: unknown, live: unknown, leavesOut: LeavesOut, path: FieldPath): boolean {
  if (isMissing(live)) return isMissing(desired) || (isEmpty(desired) && leavesOut(path));
  if (Array.isArray(desired)) {
    return (
      Array.isArray(live) &&
      desired.length === live.length &&
      desired.every((each, index) => same(each, live[index], leavesOut, path))
    );
  }
  if (isFields(desired) && isFields(live)) {
    const names = new Set([...Object.keys(desired), ...Object.keys(live)]);
    return [...names].every((name) => same(desired[name], live[name], leavesOut, [...path, name]));
  }
  return desired === live;
}

const isMissing = (value: unknown): boolean => value === undefined || value === null;

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isFields(value)) return Object.values(value).every(isMissing);
  return value === '' || value === false || value === 0;
}

const keyOf = (element: unknown, keys: readonly string[]): string =>
  JSON.stringify(
    keys.map((key) => (isFields(element) ? (element[key] ?? keyDefaults[key]) : element) ?? null),
  );

function sameQuantity(a: unknown, b: unknown): boolean {
  const [one, other] = [parseQuantity(a), parseQuantity(b)];
  return one !== undefined && one === other;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
