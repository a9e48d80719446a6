/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import { cloneJson, isObject, type Json } from './json.ts';

/** A JSON merge patch (RFC 7386). */
export function mergePatched<T>(document: T, patch: unknown): T {
  if (!isObject(patch)) return cloneJson(patch) as T;
  const result: Json = isObject(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatched(result[key], value);
  }
  return result as T;
}
