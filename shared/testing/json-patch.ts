/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import { isDeepStrictEqual } from 'node:util';
import type { JsonPatchOperation } from '../kube/api-client.ts';

type Json = Record<string, unknown>;

/**
 * A JSON patch (RFC 6902) as the API server applies it: a `test` for null passes where there is nothing. Throws an
 * Error, and changes nothing, when a test fails or a path doesn't exist.
 */
export function jsonPatched<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  const result = structuredClone(document);
  for (const operation of operations) apply(result as Json, operation);
  return result;
}

/** A JSON merge patch (RFC 7386). */
export function mergePatched<T>(document: T, patch: unknown): T {
  if (!isObject(patch)) return structuredClone(patch) as T;
  const result: Json = isObject(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatched(result[key], value);
  }
  return result as T;
}

function apply(document: Json, operation: JsonPatchOperation): void {
  const keys = operation.path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  if (last === undefined) throw new Error('a patch of the whole document');
  let parent: unknown = document;
  for (const key of keys) parent = isContainer(parent) ? parent[key] : undefined;
  const found = isContainer(parent) ? parent[last] : undefined;
  if (operation.op === 'test') {
    if (!isDeepStrictEqual(found ?? null, operation.value ?? null)) {
      throw new Error(`testing path ${operation.path} failed`);
    }
    return;
  }
  if (!isContainer(parent)) throw new Error(`${operation.op} ${operation.path}: missing path`);
  if (operation.op !== 'add' && found === undefined) {
    throw new Error(`${operation.op} ${operation.path}: missing path`);
  }
  if (operation.op === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete parent[last];
  } else if (Array.isArray(parent) && operation.op === 'add') {
    parent.splice(last === '-' ? parent.length : Number(last), 0, operation.value);
  } else {
    parent[last] = structuredClone(operation.value);
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isContainer = (value: unknown): value is Json => typeof value === 'object' && value !== null;
