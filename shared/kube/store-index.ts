/** What an index files an object under: a pure function of the object. */
export type IndexFunction<T> = (object: T) => string[];

/**
 * Objects by the values that a function finds in them. It is asked anew about an object that goes, instead of
 * remembering what it said: objects don't change, and most have many siblings in memory.
 */
export class StoreIndex<T extends object> {
  readonly values: IndexFunction<T>;
  /** A value that only one object has, as most owners of one child, costs no set of its own. */
  readonly #entries = new Map<string, T | Set<T>>();

  constructor(values: IndexFunction<T>) {
    this.values = values;
  }

  /** Values under which there is something. */
  get size(): number {
    return this.#entries.size;
  }

  get(value: string): T[] {
    const entry = this.#entries.get(value);
    if (entry === undefined) return [];
    return entry instanceof Set ? [...entry] : [entry];
  }

  /** Throws what the index function throws; the object is under no value then. */
  add(object: T): void {
    for (const value of this.values(object)) {
      const entry = this.#entries.get(value);
      if (entry instanceof Set) entry.add(object);
      else if (entry === undefined) this.#entries.set(value, object);
      else this.#entries.set(value, new Set([entry, object]));
    }
  }

  /** Throws what the index function throws: it did so when the object was added. */
  delete(object: T): void {
    for (const value of this.values(object)) {
      const entry = this.#entries.get(value);
      if (entry === object) this.#entries.delete(value);
      else if (entry instanceof Set && entry.delete(object) && entry.size === 0) this.#entries.delete(value);
    }
  }
}
