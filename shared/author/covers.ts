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

/** Maps of strings: an empty value is kept there, and elsewhere left out. */
const stringMaps = new Set(['annotations', 'data', 'labels', 'matchLabels', 'nodeSelector']);

/**
 * Whether an object as it is has all that is desired, so that applying it changes nothing that is said there. What
 * others have added, or the API server has filled in, doesn't matter. In doubt it is false: applying is never wrong.
 *
 * @param field name of the field that holds the values, or the list of which they are elements
 */
export function covers(desired: unknown, live: unknown, field = '', parent = ''): boolean {
  if (live === undefined || live === null)
    return isEmpty(desired) && !(desired === '' && stringMaps.has(parent));
  if (Array.isArray(desired)) return Array.isArray(live) && coversList(desired, live, field);
  if (isFields(desired)) {
    return (
      isFields(live) &&
      Object.entries(desired).every(
        ([name, value]) => value === undefined || covers(value, live[name], name, field),
      )
    );
  }
  if (desired === live) return true;
  return quantityMaps.has(parent) && sameQuantity(desired, live);
}

function coversList(desired: unknown[], live: unknown[], field: string): boolean {
  if (field === 'finalizers') return desired.every((each) => live.includes(each));
  const keys = mergeKeys[field];
  if (keys === undefined) return same(desired, live);
  return desired.every((element) => {
    const key = keyOf(element, keys);
    return live.some((other) => keyOf(other, keys) === key && covers(element, other, field));
  });
}

/** An atomic value: nobody may add to it. */
function same(desired: unknown, live: unknown): boolean {
  if (Array.isArray(desired)) {
    return (
      Array.isArray(live) &&
      desired.length === live.length &&
      desired.every((each, index) => same(each, live[index]))
    );
  }
  if (isFields(desired) && isFields(live)) {
    const names = new Set([...Object.keys(desired), ...Object.keys(live)]);
    return [...names].every((name) => same(desired[name], live[name]));
  }
  return desired === live || (isEmpty(desired) && (live === undefined || live === null));
}

/** The API server leaves these out. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isFields(value)) return Object.values(value).every((each) => each === undefined);
  return value === undefined || value === null || value === '' || value === false || value === 0;
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
