import { type KubeObject, type ObjectRef, objectKey, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { FieldOwner } from './server-side-apply.ts';

/** One write, as watches see it. The objects are the store's own: nobody may change them. */
export interface Change {
  version: number;
  /** Monotonic ms. */
  at: number;
  before: KubeObject | undefined;
  now: KubeObject | undefined;
}

export interface StoredObject {
  object: KubeObject;
  owners: readonly FieldOwner[];
}

interface Table {
  resource: Resource;
  objects: Map<string, StoredObject>;
  /** By key; undefined after a write. */
  sorted: readonly KubeObject[] | undefined;
  changes: Change[];
  /** The history before this version is forgotten. */
  compacted: number;
}

/** What an API server keeps: objects under one counter of versions, and a limited history of their changes. */
export class ObjectStore {
  readonly #clock: Clock;
  readonly #historyLimit: number;
  readonly #tables = new Map<string, Table>();
  readonly #listeners: (() => void)[] = [];
  #version = 1_000;
  /** No watch can begin before this version, of whatever resource. */
  #compacted = 0;

  /** `historyLimit`: how many changes of a resource are remembered. */
  constructor(clock: Clock, historyLimit: number) {
    this.#clock = clock;
    this.#historyLimit = historyLimit;
  }

  get version(): number {
    return this.#version;
  }

  /** Called after each write. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  get(resource: Resource, ref: ObjectRef): StoredObject | undefined {
    return this.#tables.get(resourceName(resource))?.objects.get(objectKey(ref));
  }

  /** Sorted by key, as the API server lists; later writes don't change it. */
  list(resource: Resource): readonly KubeObject[] {
    const table = this.#tables.get(resourceName(resource));
    if (!table) return [];
    table.sorted ??= [...table.objects]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object);
    return table.sorted;
  }

  /** Resources that have, or once had, objects. */
  get resources(): Resource[] {
    return [...this.#tables.values()].map(({ resource }) => resource);
  }

  /** Creates or replaces; the object becomes the store's own, and gets its resourceVersion. */
  put(resource: Resource, object: KubeObject, owners: readonly FieldOwner[]): KubeObject {
    const table = this.#table(resource);
    const key = objectKey(object.metadata);
    const before = table.objects.get(key)?.object;
    object.metadata.resourceVersion = String(this.#version + 1);
    table.objects.set(key, { object, owners });
    this.#changed(table, before, object);
    return object;
  }

  delete(resource: Resource, ref: ObjectRef): void {
    const table = this.#table(resource);
    const before = table.objects.get(objectKey(ref))?.object;
    table.objects.delete(objectKey(ref));
    this.#changed(table, before, undefined);
  }

  /** Changes after a version, in their order; undefined when some of them are forgotten. */
  changesAfter(
    resource: Resource,
    version: number,
  ): { changes: readonly Change[]; from: number } | undefined {
    const table = this.#tables.get(resourceName(resource));
    if (version < this.oldest(resource)) return undefined;
    const changes = table?.changes ?? [];
    let low = 0;
    for (let high = changes.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((changes[middle]?.version ?? 0) > version) high = middle;
      else low = middle + 1;
    }
    return { changes, from: low };
  }

  /** A watch of the resource may begin at this version, or later. */
  oldest(resource: Resource): number {
    return Math.max(this.#compacted, this.#tables.get(resourceName(resource))?.compacted ?? 0);
  }

  /** Forgets the history up to now, as etcd does every few minutes. */
  compact(): void {
    this.#compacted = this.#version;
    for (const table of this.#tables.values()) table.changes.length = 0;
  }

  #table(resource: Resource): Table {
    const name = resourceName(resource);
    let table = this.#tables.get(name);
    if (!table) {
      table = { resource, objects: new Map(), sorted: undefined, changes: [], compacted: 0 };
      this.#tables.set(name, table);
    }
    return table;
  }

  #changed(table: Table, before: KubeObject | undefined, now: KubeObject | undefined): void {
    this.#version += 1;
    table.sorted = undefined;
    table.changes.push({ version: this.#version, at: this.#clock.monotonic(), before, now });
    if (table.changes.length > this.#historyLimit) {
      const forgotten = table.changes.splice(0, Math.ceil(this.#historyLimit / 2));
      table.compacted = forgotten.at(-1)?.version ?? 0;
    }
    for (const listener of this.#listeners) listener();
  }
}
