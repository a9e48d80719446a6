import type { KubeObject } from './types.ts';

/** The objects an informer knows, by `objectKey`. They are shared: nobody may change them. */
export interface ReadonlyStore<T> {
  readonly size: number;
  get(key: string): T | undefined;
  list(): T[];
  keys(): Iterable<string>;
  /** The objects for which the index function gave `value`. Throws for an index that was never added. */
  byIndex(name: string, value: string): T[];
}

interface Index<T> {
  values: (object: T) => string[];
  entries: Map<string, Map<string, T>>;
}

export class Store<T extends KubeObject> implements ReadonlyStore<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.#objects.size;
  }

  /** Only while the store is empty. `values` must be a pure function of the object. */
  addIndex(name: string, values: (object: T) => string[]): void {
    if (this.size > 0) throw new Error(`index ${name} added to a store that is in use`);
    this.#indexes.set(name, { values, entries: new Map() });
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`no index ${name}`);
    return [...(index.entries.get(value)?.values() ?? [])];
  }

  set(key: string, object: T): void {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const { values, entries } of this.#indexes.values()) {
      if (old) removeEntries(entries, values(old), key);
      for (const value of values(object)) {
        const entry = entries.get(value);
        if (entry) entry.set(key, object);
        else entries.set(value, new Map([[key, object]]));
      }
    }
  }

  delete(key: string): void {
    const old = this.#objects.get(key);
    if (!old) return;
    this.#objects.delete(key);
    for (const { values, entries } of this.#indexes.values()) removeEntries(entries, values(old), key);
  }
}

function removeEntries<T>(entries: Map<string, Map<string, T>>, values: string[], key: string): void {
  for (const value of values) {
    const entry = entries.get(value);
    entry?.delete(key);
    if (entry?.size === 0) entries.delete(value);
  }
}
