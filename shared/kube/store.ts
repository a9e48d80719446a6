import { type IndexFunction, StoreIndex } from './store-index.ts';

/** The objects an informer knows, by `objectKey`. They are shared: nobody may change them. */
export interface ReadonlyStore<T> {
  readonly size: number;
  get(key: string): T | undefined;
  /** A copy of all there is. */
  list(): T[];
  /** Without a copy. Over an `await`, what comes and goes meanwhile is met or not. */
  values(): IteratorObject<T>;
  /** As `values`. */
  keys(): IteratorObject<string>;
  /** The objects for which the index function gave `value`. Throws for an index that was never added. */
  byIndex(name: string, value: string): T[];
}

/** Told of an index function that threw: the object is kept, and that index doesn't find it. */
export type IndexFailed = (error: unknown, index: string, key: string) => void;

export class Store<T extends object> implements ReadonlyStore<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, StoreIndex<T>>();
  readonly #indexFailed: IndexFailed;

  constructor(indexFailed: IndexFailed) {
    this.#indexFailed = indexFailed;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Only while the store is empty; again only with the same function. */
  addIndex(name: string, values: IndexFunction<T>): void {
    const present = this.#indexes.get(name);
    if (present?.values === values) return;
    if (present) throw new Error(`index ${name} is there already, with another function`);
    if (this.size > 0) throw new Error(`index ${name} added to a store that is in use`);
    this.#indexes.set(name, new StoreIndex(values));
  }

  hasIndex(name: string, values: IndexFunction<T>): boolean {
    return this.#indexes.get(name)?.values === values;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  values(): IteratorObject<T> {
    return this.#objects.values();
  }

  keys(): IteratorObject<string> {
    return this.#objects.keys();
  }

  /** As `values`; what is added meanwhile is met, at the end. */
  entries(): IteratorObject<[string, T]> {
    return this.#objects.entries();
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`no index ${name}`);
    return index.get(value);
  }

  set(key: string, object: T): void {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const [name, index] of this.#indexes) {
      if (old) removeFrom(index, old);
      try {
        index.add(object);
      } catch (error) {
        this.#indexFailed(error, name, key);
      }
    }
  }

  delete(key: string): void {
    const old = this.#objects.get(key);
    if (!old) return;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) removeFrom(index, old);
  }
}

function removeFrom<T extends object>(index: StoreIndex<T>, object: T): void {
  try {
    index.delete(object);
  } catch {
    // Told when the object came: it was never in this index.
  }
}
