import { ApiError } from '../kube/errors.ts';
import {
  childrenOf,
  compareFieldOrder,
  compareFields,
  describeField,
  type FieldSet,
  fieldsOf,
  ownable,
  withoutFields,
  withParents,
} from './field-set.ts';
import { isObject, type Json } from './json.ts';
import type { ListKeys } from './list-keys.ts';

/** Who writes, as an entry of managedFields has it. */
export interface FieldManager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  /** `status` or ''. */
  subresource: string;
}

/** A manager and its fields; several may own one field. */
export interface FieldOwner extends FieldManager {
  fields: FieldSet;
}

const isSame = (a: FieldManager, b: FieldManager): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion);

/** The owners after a manager has changed an object: what it changed is its own, what is gone is nobody's. */
export function ownersAfterUpdate(
  before: object,
  after: object,
  owners: readonly FieldOwner[],
  manager: FieldManager,
  lists: ListKeys,
): readonly FieldOwner[] {
  const { added, modified, removed } = compareFields(ownable(before), ownable(after), lists);
  if (added.size + modified.size + removed.size === 0) return owners;
  const taken = added.union(modified);
  const lost = taken.union(removed);
  const own = owners.find((owner) => isSame(owner, manager))?.fields ?? new Set();
  return settled([
    ...owners
      .filter((owner) => !isSame(owner, manager))
      .map((owner) => ({ ...owner, fields: owner.fields.difference(lost) })),
    { ...manager, fields: own.difference(removed).union(taken) },
  ]);
}

/** Of an object whose fields nobody owns, all belong to whoever wrote them before the first apply; not what `empty` has. */
export function ownersBeforeApply(
  { object, owners }: { object: object; owners: readonly FieldOwner[] },
  empty: object,
  apiVersion: string,
  lists: ListKeys,
): readonly FieldOwner[] {
  if (owners.length > 0) return owners;
  const manager = 'before-first-apply';
  return ownersAfterUpdate(
    empty,
    object,
    [],
    { manager, operation: 'Update', apiVersion, subresource: '' },
    lists,
  );
}

export interface Applied {
  /** What the object has become, beside what nobody can own. */
  fields: Json;
  owners: readonly FieldOwner[];
}

/**
 * Server-side apply: the configuration's fields are merged in and are the manager's own; those that it applied before
 * and no longer does are removed, unless another owns them. Throws ApiError 409 that names the other managers and the
 * fields, when a field of theirs would change, unless forced.
 */
export function applied(
  present: object,
  owners: readonly FieldOwner[],
  configuration: object,
  manager: FieldManager,
  lists: ListKeys,
  force: boolean,
): Applied {
  const live = ownable(present);
  const wanted = ownable(configuration);
  const fields = fieldsOf(wanted, lists);
  const last = owners.find((owner) => isSame(owner, manager));
  const others = owners.filter((owner) => owner !== last);
  const merged = mergedWith(live, wanted, '', [], lists);
  const managed = withParents(others.reduce((all, owner) => all.union(owner.fields), new Set(fields)));
  const gone = (last?.fields ?? new Set<string>()).difference(managed);
  const next = withoutFields(merged, gone, managed, lists);
  const result = isObject(next) ? next : {};

  const { added, modified, removed } = compareFields(live, result, lists);
  const changed = added.union(modified);
  const conflicts = others
    .map((owner) => ({ ...owner, fields: owner.fields.intersection(changed) }))
    .filter((owner) => owner.fields.size > 0);
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);
  const lost = changed.union(removed);
  return {
    fields: result,
    owners: settled([
      ...others.map((owner) => ({ ...owner, fields: owner.fields.difference(lost) })),
      { ...manager, fields },
    ]),
  };
}

/** Whether two states of ownership are the same, whatever their order. */
export function sameOwners(a: readonly FieldOwner[], b: readonly FieldOwner[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((owner) => {
      const match = b.find((other) => isSame(owner, other));
      return match?.fields.size === owner.fields.size && match.fields.isSubsetOf(owner.fields);
    })
  );
}

const settled = (owners: FieldOwner[]): FieldOwner[] => owners.filter(({ fields }) => fields.size > 0);

/** Of lists, items that only the server has keep their place before those that they stood before. */
function mergedWith(
  live: unknown,
  wanted: unknown,
  path: string,
  names: readonly string[],
  lists: ListKeys,
): unknown {
  const liveChildren = childrenOf(live, path, names, lists);
  const wantedChildren = childrenOf(wanted, path, names, lists);
  if (!liveChildren || !wantedChildren || Array.isArray(live) !== Array.isArray(wanted)) return wanted;
  const known = new Map(liveChildren.map((child) => [child.path, child]));
  const mergedChild = (child: (typeof wantedChildren)[number]): unknown => {
    const match = known.get(child.path);
    return match ? mergedWith(match.value, child.value, child.path, child.names, lists) : child.value;
  };
  if (!Array.isArray(live)) {
    const result: Json = isObject(live) ? { ...live } : {};
    for (const child of wantedChildren) result[child.key] = mergedChild(child);
    return result;
  }
  const inWanted = new Set(wantedChildren.map((child) => child.path));
  const emitted = new Set<string>();
  const items: unknown[] = [];
  const waiting = [...wantedChildren];
  for (const child of liveChildren) {
    if (!inWanted.has(child.path)) items.push(child.value);
    while (inWanted.has(child.path) && !emitted.has(child.path)) {
      const next = waiting.shift();
      if (!next) break;
      emitted.add(next.path);
      items.push(mergedChild(next));
    }
  }
  return [...items, ...waiting.map(mergedChild)];
}

function applyConflict(conflicts: readonly FieldOwner[]): ApiError {
  const found = conflicts.map((owner) => ({ who: describeManager(owner), fields: described(owner.fields) }));
  const count = found.reduce((sum, { fields }) => sum + fields.length, 0);
  const sorted = found.toSorted((a, b) => (a.who < b.who ? -1 : 1));
  const message =
    count === 1
      ? `1 conflict: conflict with ${sorted[0]?.who}: ${sorted[0]?.fields[0]}`
      : `${count} conflicts: ` +
        sorted
          .map(({ who, fields }) =>
            [`conflicts with ${who}:`, ...fields.map((field) => `- ${field}`)].join('\n'),
          )
          .join('\n');
  return new ApiError(409, 'Conflict', `Apply failed with ${message}`);
}

const described = (fields: FieldSet): string[] => [...fields].toSorted(compareFieldOrder).map(describeField);

function describeManager({ manager, operation, apiVersion, subresource }: FieldManager): string {
  const part = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  return JSON.stringify(manager) + part + (operation === 'Update' ? ` using ${apiVersion}` : '');
}
