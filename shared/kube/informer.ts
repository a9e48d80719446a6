import { Slice } from '../runtime/event-loop.ts';
import type { Logger } from '../runtime/logger.ts';
import { Reflector, type ReflectorOptions, type ReflectorSink } from './reflector.ts';
import { type ReadonlyStore, Store } from './store.ts';
import { compareResourceVersions, type KubeObject, resourceName } from './types.ts';

export type InformerOptions<T extends KubeObject> = ReflectorOptions<T>;

/** Called synchronously, in order, after the store has changed. What it throws is logged. */
export interface InformerHandler<T> {
  added?(object: T): void;
  updated?(old: T, now: T): void;
  /** `last`: the last known state; for a deletion seen by watch it has the resourceVersion of the deletion. */
  deleted?(last: T): void;
}

/**
 * A cache of the objects of a resource (and selector), with handlers that are told every difference: a delete that was
 * missed, too, and an object deleted and created again under its name as `deleted` and `added`.
 * An object that stops matching the selector is `deleted`, with its old labels.
 */
export class Informer<T extends KubeObject> {
  readonly #options: InformerOptions<T>;
  readonly #store = new Store<T>();
  readonly #handlers: InformerHandler<T>[] = [];
  readonly #synced = Promise.withResolvers<void>();
  readonly #logger: Logger;
  #started = false;
  #hasSynced = false;

  constructor(options: InformerOptions<T>) {
    this.#logger = options.logger;
    this.#options = { ...options, health: options.health && this.#guardAll(options.health) };
  }

  get store(): ReadonlyStore<T> {
    return this.#store;
  }

  /** The store has held, and the handlers have been told, the first complete list. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Rejects with the signal's reason when it is aborted first. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#synced.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Before `run`. `values` must be a pure function of the object. */
  addIndex(name: string, values: (object: T) => string[]): void {
    this.#beforeRun();
    this.#store.addIndex(name, values);
  }

  /** Before `run`. */
  addHandler(handler: InformerHandler<T>): void {
    this.#beforeRun();
    this.#handlers.push(handler);
  }

  /** Once. Resolves when the signal is aborted; never rejects for what the API server does. */
  async run(signal: AbortSignal): Promise<void> {
    this.#beforeRun();
    this.#started = true;
    const sink: ReflectorSink<T> = {
      replace: (objects) => this.#replace(objects),
      upsert: (key, object) => this.#upsert(key, object),
      remove: (key, last) => this.#remove(key, last),
    };
    await new Reflector(this.#options, sink).run(signal);
  }

  /** A list is believed whatever it says: after a restore of etcd its versions may be older than the known ones. */
  async #replace(objects: ReadonlyMap<string, T>): Promise<void> {
    const slice = new Slice(this.#options.clock);
    for (const key of this.#store.keys()) {
      if (!objects.has(key)) this.#remove(key, undefined);
      await slice.maybeYield();
    }
    for (const [key, object] of objects) {
      this.#set(key, object);
      await slice.maybeYield();
    }
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #upsert(key: string, object: T): void {
    const known = this.#store.get(key);
    if (known && sameObject(known, object) && isOlder(object, known)) return;
    this.#set(key, object);
  }

  #set(key: string, object: T): void {
    const known = this.#store.get(key);
    if (known && sameObject(known, object)) {
      const { resourceVersion } = object.metadata;
      if (resourceVersion !== undefined && resourceVersion === known.metadata.resourceVersion) return;
      this.#store.set(key, object);
      this.#notify((handler) => handler.updated?.(known, object));
      return;
    }
    if (known) this.#remove(key, undefined);
    this.#store.set(key, object);
    this.#notify((handler) => handler.added?.(object));
  }

  #remove(key: string, last: T | undefined): void {
    const known = this.#store.get(key);
    if (!known) return;
    if (last && !sameObject(known, last) && isOlder(last, known)) return; // the end of a predecessor
    this.#store.delete(key);
    this.#notify((handler) => handler.deleted?.(last && sameObject(known, last) ? last : known));
  }

  #notify(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.#handlers) this.#guard(() => call(handler));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      const resource = resourceName(this.#options.resource);
      this.#logger.error({ err: error, resource }, 'informer handler failed');
    }
  }

  #guardAll(health: NonNullable<InformerOptions<T>['health']>): NonNullable<InformerOptions<T>['health']> {
    return {
      connected: () => this.#guard(() => health.connected()),
      progress: () => this.#guard(() => health.progress()),
      disconnected: (error) => this.#guard(() => health.disconnected(error)),
    };
  }

  #beforeRun(): void {
    if (this.#started) throw new Error('the informer already runs');
  }
}

const sameObject = (a: KubeObject, b: KubeObject): boolean => a.metadata.uid === b.metadata.uid;

const isOlder = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.resourceVersion !== undefined &&
  b.metadata.resourceVersion !== undefined &&
  compareResourceVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) < 0;
