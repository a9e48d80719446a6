/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import type { JsonPatchOperation } from '../kube/api-client.ts';
import { cloneJson, isObject, type Json, jsonEquals } from './json.ts';

/**
 * A JSON patch (RFC 6902) as the API server applies it, where it is more lenient: a `test` for null passes where its
 * parent has no such key, `replace` of a missing key of a map adds it, and lists count from their end, too (`-1`). Throws an Error, and changes nothing, when a
 * test fails or a path doesn't exist.
 */
export function jsonPatched<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  const holder: Json = { document: cloneJson(document) };
  for (const operation of operations) apply(holder, operation);
  return holder['document'] as T;
}

function apply(holder: Json, operation: JsonPatchOperation): void {
  const { op, path } = operation;
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (path !== '' && !path.startsWith('/')) throw new Error(`${op} ${path}: not a path`);
  let parent: unknown = holder;
  let last = 'document';
  for (const key of keys) {
    parent = childOf(parent, last);
    last = key;
  }
  if (Array.isArray(parent)) applyToArray(parent, last, operation);
  else if (isObject(parent)) applyToMap(parent, last, operation);
  else throw new Error(`${op} ${path}: missing path`);
}

function childOf(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return parent[Number(key)];
  return isObject(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function applyToMap(parent: Json, key: string, operation: JsonPatchOperation): void {
  switch (operation.op) {
    case 'test':
      test(childOf(parent, key) ?? null, operation);
      return;
    case 'remove':
      if (!Object.hasOwn(parent, key)) throw new Error(`remove ${operation.path}: missing path`);
      delete parent[key];
      return;
    case 'add':
    case 'replace':
      parent[key] = cloneJson(operation.value);
      return;
    default:
      throw unknown(operation);
  }
}

function applyToArray(parent: unknown[], key: string, operation: JsonPatchOperation): void {
  const isAdd = operation.op === 'add';
  const length = parent.length + (isAdd ? 1 : 0);
  const index = isAdd && key === '-' ? parent.length : Number(key) + (key.startsWith('-') ? length : 0);
  if (!(index >= 0 && index < length)) throw new Error(`${operation.op} ${operation.path}: no such index`);
  switch (operation.op) {
    case 'test':
      test(parent[index], operation);
      return;
    case 'remove':
      parent.splice(index, 1);
      return;
    case 'add':
      parent.splice(index, 0, cloneJson(operation.value));
      return;
    case 'replace':
      parent[index] = cloneJson(operation.value);
      return;
    default:
      throw unknown(operation);
  }
}

function test(found: unknown, { path, value }: { path: string; value: unknown }): void {
  if (!jsonEquals(found, value ?? null)) throw new Error(`testing path ${path} failed`);
}

const unknown = (operation: never): Error => new Error(`unknown operation ${JSON.stringify(operation)}`);
