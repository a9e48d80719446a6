/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import { cloneJson, isObject, type Json, jsonEquals } from './json.ts';
import { listType, strategicKeys } from './list-keys.ts';

const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/**
 * A strategic merge patch, as the API server applies it to built-in kinds: maps are merged, lists too where the kind
 * says how (`list-keys.ts`), with the directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList` and
 * `$setElementOrder`. Throws an Error that says what is wrong with the patch.
 */
export const strategicPatched = <T>(document: T, patch: Json): T => mergeMap(document, patch, []) as T;

function mergeMap(original: unknown, patch: Json, names: readonly string[]): Json {
  const { $patch: directive, $retainKeys: retained, ...fields } = patch;
  if (directive === 'replace') return withoutDirectives(fields) as Json;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw new Error(`unknown patch type: ${String(directive)}`);
  const result: Json = isObject(original) ? { ...original } : {};
  if (Array.isArray(retained))
    for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
  for (const [key, value] of Object.entries(fields)) {
    if (key.startsWith(orderPrefix)) continue;
    if (key.startsWith(deletePrefix)) {
      const name = key.slice(deletePrefix.length);
      const list = result[name];
      if (Array.isArray(list)) result[name] = list.filter((item) => !includes(value, item));
      continue;
    }
    const path = [...names, key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = mergeMap(result[key], value, path);
    else if (Array.isArray(value))
      result[key] = mergeList(result[key], value, path, fields[orderPrefix + key]);
    else result[key] = value;
  }
  return result;
}

function mergeList(original: unknown, patch: unknown[], names: readonly string[], order: unknown): unknown[] {
  const type = listType(strategicKeys, names);
  const before = Array.isArray(original) ? original : [];
  if (type === 'atomic') return withoutDirectives(patch) as unknown[];
  if (type === 'set') {
    const own = patch.filter((item, index) => patch.indexOf(item) === index);
    return ordered(
      own,
      before.filter((item) => !patch.includes(item)),
      before,
      order,
      (item) => item,
    );
  }
  const key = type[0] ?? '';
  const keyOf = (item: unknown): unknown => (isObject(item) ? item[key] : undefined);
  const items = patch.filter(isObject);
  if (items.some(({ $patch: directive }) => directive === 'replace')) {
    return withoutDirectives(items.filter((item) => item['$patch'] !== 'replace')) as unknown[];
  }
  const deleted = items.filter((item) => item['$patch'] === 'delete').map(keyOf);
  const kept = before.filter((item) => !deleted.includes(keyOf(item)));
  const merged = new Map<unknown, Json>();
  for (const item of items) {
    if (item['$patch'] === 'delete') continue;
    const itemKey = keyOf(item);
    if (itemKey === undefined) {
      throw new Error(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    }
    const present = merged.get(itemKey) ?? kept.find((other) => jsonEquals(keyOf(other), itemKey));
    merged.set(itemKey, mergeMap(present, item, names));
  }
  const others = kept.filter((item) => !merged.has(keyOf(item)));
  return ordered([...merged.values()], others, kept, order, keyOf);
}

/**
 * The patch's items in the patch's order (or that of `$setElementOrder`), the others in theirs; one of the others comes
 * first only where it did so before the patch, too.
 */
function ordered<T>(
  patched: T[],
  others: T[],
  before: readonly unknown[],
  order: unknown,
  keyOf: (item: unknown) => unknown,
): T[] {
  const wanted = Array.isArray(order)
    ? order.map((item) => (isObject(item) ? keyOf(item) : item))
    : undefined;
  if (wanted) patched = patched.toSorted((a, b) => wanted.indexOf(keyOf(a)) - wanted.indexOf(keyOf(b)));
  const rank = new Map(before.map((item, index) => [keyOf(item), index]));
  const result: T[] = [];
  let next = 0;
  for (const item of others) {
    const place = rank.get(keyOf(item)) ?? 0;
    for (; next < patched.length; next += 1) {
      const rival = patched[next] as T;
      if ((rank.get(keyOf(rival)) ?? -1) > place) break;
      result.push(rival);
    }
    result.push(item);
  }
  return [...result, ...patched.slice(next)];
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isObject(value)) return cloneJson(value);
  const kept = Object.entries(value).filter(([key, field]) => !key.startsWith('$') && field !== null);
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutDirectives(field)]));
}

const includes = (list: unknown, item: unknown): boolean => Array.isArray(list) && list.includes(item);
