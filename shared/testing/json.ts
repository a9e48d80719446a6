/* oxlint-disable typescript/no-unsafe-type-assertion -- JSON has the type that its reader expects, as with the real API */

/** What a JSON object holds. */
export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy of what is JSON already. Several times faster than `structuredClone`. */
export function cloneJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  if (!isObject(value)) return value;
  const copy: Json = {};
  for (const key in value) copy[key] = cloneJson(value[key]);
  return copy as T;
}

/** A value as it arrives after its way through JSON: what is undefined is absent. */
export const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Equality of JSON values. */
export function jsonEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((value, index) => jsonEquals(value, b[index]))
    );
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && jsonEquals(a[key], b[key]));
}
