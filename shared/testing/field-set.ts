import { isObject, type Json, jsonEquals } from './json.ts';
import { isAtomicMap, keyDefaults, type ListKeys, listType } from './list-keys.ts';

/**
 * Fields of an object as managedFields name them, each a path of elements (`f:spec`, `k:{"name":"x"}`, `v:"x"`) joined
 * by NUL.
 */
export type FieldSet = ReadonlySet<string>;

interface Child {
  /** Whole path. */
  path: string;
  /** The item's place in the object or the list. */
  key: string | number;
  value: unknown;
  /** Field names on the way, without list items. */
  names: readonly string[];
}

const separator = '\u0000';

/** What the server owns: nobody's fields. */
const systemMetadata = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
]);

/** An object without the fields that nobody can own. */
export function ownable(object: object): Json {
  const { apiVersion: _version, kind: _kind, metadata, ...fields }: Json = { ...object };
  const own = Object.entries(isObject(metadata) ? metadata : {}).filter(
    ([name]) => !systemMetadata.has(name),
  );
  return own.length > 0 ? { ...fields, metadata: Object.fromEntries(own) } : fields;
}

/** The parts of a value that are owned on their own; undefined for what is owned as a whole. */
export function childrenOf(
  value: unknown,
  path: string,
  names: readonly string[],
  lists: ListKeys,
): Child[] | undefined {
  if (isObject(value)) {
    if (isAtomicMap(lists, names)) return undefined;
    return Object.entries(value).map(([key, child]) => {
      return { path: joined(path, `f:${key}`), key, value: child, names: [...names, key] };
    });
  }
  if (!Array.isArray(value)) return undefined;
  const type = listType(lists, names);
  if (type === 'atomic') return undefined;
  return value.map((item: unknown, index) => {
    const element = type === 'set' ? `v:${JSON.stringify(item)}` : `k:${keysOf(item, type)}`;
    return { path: joined(path, element), key: index, value: item, names };
  });
}

/** What an applied configuration owns: its leaves, and the items of its lists. */
export function fieldsOf(value: unknown, lists: ListKeys): FieldSet {
  const fields = new Set<string>();
  const visit = (part: unknown, path: string, names: readonly string[]): void => {
    const children = childrenOf(part, path, names, lists);
    if (!children || (children.length === 0 && path !== '')) fields.add(path);
    for (const child of children ?? []) {
      if (Array.isArray(part)) fields.add(child.path);
      if (!Array.isArray(part) || isObject(child.value)) visit(child.value, child.path, child.names);
    }
  };
  visit(value, '', []);
  return fields;
}

export interface FieldChanges {
  added: Set<string>;
  modified: Set<string>;
  removed: Set<string>;
}

/** What differs between two states of an object, containers included. */
export function compareFields(before: unknown, after: unknown, lists: ListKeys): FieldChanges {
  const changes: FieldChanges = { added: new Set(), modified: new Set(), removed: new Set() };
  const addAll = (fields: Set<string>, { path, value, names }: Child): void => {
    fields.add(path);
    for (const child of childrenOf(value, path, names, lists) ?? []) addAll(fields, child);
  };
  const visit = (old: unknown, now: unknown, path: string, names: readonly string[]): void => {
    if (jsonEquals(old, now)) return;
    const oldChildren = childrenOf(old, path, names, lists);
    const nowChildren = childrenOf(now, path, names, lists);
    if (!oldChildren || !nowChildren || Array.isArray(old) !== Array.isArray(now)) {
      changes.modified.add(path);
      return;
    }
    const known = new Map(oldChildren.map((child) => [child.path, child]));
    for (const child of nowChildren) {
      const match = known.get(child.path);
      known.delete(child.path);
      if (match) visit(match.value, child.value, child.path, child.names);
      else addAll(changes.added, child);
    }
    for (const child of known.values()) addAll(changes.removed, child);
  };
  visit(before, after, '', []);
  return changes;
}

/** The value without these fields. A map or list that loses all it had goes, too, or is null where it is `managed`. */
export function withoutFields(value: unknown, gone: FieldSet, managed: FieldSet, lists: ListKeys): unknown {
  const prune = (part: unknown, path: string, names: readonly string[]): unknown => {
    const children = childrenOf(part, path, names, lists);
    if (!children) return part;
    const kept: [string | number, unknown][] = [];
    for (const child of children) {
      if (gone.has(child.path)) continue;
      const left = prune(child.value, child.path, child.names);
      if (left !== undefined) kept.push([child.key, left]);
    }
    if (kept.length === 0 && children.length > 0 && path !== '') return managed.has(path) ? null : undefined;
    return Array.isArray(part) ? kept.map(([, item]) => item) : Object.fromEntries(kept);
  };
  return prune(value, '', []);
}

/** The fields, and all that they are in. */
export function withParents(fields: FieldSet): FieldSet {
  const all = new Set(fields);
  for (const field of fields) {
    for (let end = field.lastIndexOf(separator); end > 0; end = field.lastIndexOf(separator, end - 1)) {
      all.add(field.slice(0, end));
    }
  }
  return all;
}

/** `.spec.template.spec.containers[name="x"].image` */
export function describeField(field: string): string {
  const elements = field.split(separator).map((element) => {
    const text = element.slice(2);
    if (element.startsWith('f:')) return `.${text}`;
    if (element.startsWith('v:')) return `[=${text}]`;
    const keys: Json = JSON.parse(text);
    const pairs = Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    return `[${pairs.join(',')}]`;
  });
  return elements.join('');
}

/** Fields of a level before those inside of it, as the API server tells them. */
export function compareFieldOrder(a: string, b: string): number {
  const left = a.split(separator);
  const right = b.split(separator);
  const shared = left.findIndex((element, index) => element !== right[index]);
  const depth = shared < 0 ? left.length : shared;
  const leftLeaf = left.length === depth + 1;
  const rightLeaf = right.length === depth + 1;
  if (leftLeaf !== rightLeaf) return leftLeaf ? -1 : 1;
  return (left[depth] ?? '') < (right[depth] ?? '') ? -1 : 1;
}

const joined = (path: string, element: string): string =>
  path === '' ? element : path + separator + element;

function keysOf(item: unknown, keys: readonly string[]): string {
  const fields = isObject(item) ? item : {};
  const present = keys.toSorted().flatMap((key) => {
    const value = fields[key] ?? keyDefaults[key];
    return value === undefined ? [] : [[key, value]];
  });
  return JSON.stringify(Object.fromEntries(present));
}
