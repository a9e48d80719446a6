import type { Informer } from '../kube/informer.ts';
import type { ReadonlyStore } from '../kube/store.ts';
import type { IndexFunction } from '../kube/store-index.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';

/** The objects of a resource that this process knows, as the author's own type. */
export type Cache<T extends KubeObject> = ReadonlyStore<T>;

export interface CacheOptions<T extends KubeObject> {
  /** By which values objects are found with `byIndex`. */
  indexes?: Record<string, IndexFunction<T>> | undefined;
}

/** A cache that can be passed on before it is known whether it is of a shard's objects or of all. */
export class LateCache implements ReadonlyStore<KubeObject> {
  readonly resource: Resource;
  readonly #indexes = new Map<string, IndexFunction<KubeObject>>();
  #store: ReadonlyStore<KubeObject> | undefined;

  constructor(resource: Resource) {
    this.resource = resource;
  }

  addIndex(name: string, values: IndexFunction<KubeObject>): void {
    if ((this.#indexes.get(name) ?? values) !== values) {
      throw new Error(
        `cache of ${resourceName(this.resource)}: index ${name} is there already, with another function`,
      );
    }
    this.#indexes.set(name, values);
  }

  bind(informer: Informer<KubeObject>): void {
    for (const [name, values] of this.#indexes) informer.addIndex(name, values);
    this.#store = informer.store;
  }

  get size(): number {
    return this.#bound.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#bound.get(key);
  }

  list(): KubeObject[] {
    return this.#bound.list();
  }

  values(): IteratorObject<KubeObject> {
    return this.#bound.values();
  }

  keys(): IteratorObject<string> {
    return this.#bound.keys();
  }

  byIndex(name: string, value: string): KubeObject[] {
    return this.#bound.byIndex(name, value);
  }

  get #bound(): ReadonlyStore<KubeObject> {
    if (this.#store === undefined)
      throw new Error(`the cache of ${resourceName(this.resource)} is read before the manager is started`);
    return this.#store;
  }
}
