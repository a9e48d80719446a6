import type { Clock } from '../runtime/clock.ts';
import { Slice } from '../runtime/event-loop.ts';
import { Latch } from '../runtime/latch.ts';
import type { Form } from './api-client.ts';
import { deepFreeze } from './deep-freeze.ts';
import { type HandlerRegistration, type InformerHandler, InformerHandlers } from './informer-handlers.ts';
import { Reflector, type ReflectorHealth, type ReflectorOptions, type ReflectorSink } from './reflector.ts';
import { type ReadonlyStore, Store } from './store.ts';
import type { IndexFunction } from './store-index.ts';
import { compareResourceVersions, type KubeObject, resourceName } from './types.ts';

/** `P`: what is kept; `T`: what is read, where `project` makes the one of the other. */
export type InformerOptions<P extends KubeObject, T extends KubeObject = P> = ReflectorOptions<T, P>;

/**
 * A cache of the objects of a resource (and selector), with handlers that are told every difference: a delete that was
 * missed, too, and an object deleted and created again under its name as `deleted` and `added`.
 * An object that stops matching the selector is `deleted`, with its old labels.
 *
 * All users of the cache share its objects. Unless the environment says NODE_ENV=production, they are frozen with all
 * that they hold: code that changes one instead of a copy (`structuredClone`) gets a TypeError on the spot.
 */
export class Informer<P extends KubeObject, T extends KubeObject = P> {
  readonly form: Form;
  readonly #resource: string;
  readonly #clock: Clock;
  readonly #reflect: (sink: ReflectorSink<P>, signal: AbortSignal) => Promise<void>;
  readonly #store: Store<P>;
  readonly #handlers: InformerHandlers<P>;
  readonly #synced = new Latch();
  readonly #freezes = process.env['NODE_ENV'] !== 'production';
  #running: AbortSignal | undefined;

  constructor(options: InformerOptions<P, T>) {
    const { clock, logger, health } = options;
    const resource = resourceName(options.resource);
    this.form = options.form;
    this.#resource = resource;
    this.#clock = clock;
    this.#reflect = (sink, signal) => {
      const guardedHealth =
        health &&
        guarded(health, (err) => {
          logger.error({ err, resource }, 'health callback of an informer failed');
        });
      return new Reflector<T, P>({ ...options, health: guardedHealth }, sink).run(signal);
    };
    this.#store = new Store<P>((err, index, object) => {
      logger.error({ err, resource, index, object }, 'index function failed, this index lacks the object');
    });
    this.#handlers = new InformerHandlers(this.#store, clock, (err, object) => {
      logger.error({ err, resource, object }, 'informer handler failed');
    });
  }

  get store(): ReadonlyStore<P> {
    return this.#store;
  }

  /** The store has held, and the handlers added before the start have been told, the first complete list. */
  get hasSynced(): boolean {
    return this.#synced.isOpen;
  }

  /** Rejects with the signal's reason when it is aborted first. */
  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#synced.wait(signal);
  }

  /**
   * Before `run`; afterwards, as for another user of a shared informer, only what is there already: the same function
   * under the same name. What `values` throws is logged, and the object is not in this index.
   */
  addIndex(name: string, values: IndexFunction<P>): void {
    if (this.#running && !this.#store.hasIndex(name, values)) {
      throw new Error(`index ${name} of ${this.#resource}: the informer already runs, add indexes before`);
    }
    this.#store.addIndex(name, values);
  }

  /** At any time: a running informer tells a new handler, a little later, what is there, and then goes on. */
  addHandler(handler: InformerHandler<P>): HandlerRegistration {
    if (this.#running?.aborted) throw new Error(`the informer of ${this.#resource} has ended`);
    return this.#handlers.add(handler, this.#running);
  }

  /** Once. Resolves when the signal is aborted; never rejects for what the API server does. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error(`the informer of ${this.#resource} already runs`);
    this.#running = signal;
    const sink = {
      replace: (objects: ReadonlyMap<string, P>) => this.#replace(objects),
      upsert: (key: string, object: P) => this.#upsert(key, object),
      remove: (key: string, last: P | undefined) => this.#remove(key, last),
    };
    await this.#reflect(sink, signal);
    await this.#handlers.idle();
  }

  /** A list is believed whatever it says: after a restore of etcd its versions may be older than the known ones. */
  async #replace(objects: ReadonlyMap<string, P>): Promise<void> {
    const slice = new Slice(this.#clock);
    for (const key of this.#store.keys()) {
      if (!objects.has(key)) this.#remove(key, undefined);
      if (slice.isOver) await slice.maybeYield();
    }
    for (const [key, object] of objects) {
      this.#set(key, object);
      if (slice.isOver) await slice.maybeYield();
    }
    this.#handlers.listed();
    this.#synced.open();
  }

  #upsert(key: string, object: P): void {
    const known = this.#store.get(key);
    if (known && sameObject(known, object) && isOlder(object, known)) return;
    this.#set(key, object);
  }

  #set(key: string, object: P): void {
    const known = this.#store.get(key);
    if (known && sameObject(known, object)) {
      const { resourceVersion } = object.metadata;
      if (resourceVersion !== undefined && resourceVersion === known.metadata.resourceVersion) return;
      this.#store.set(key, this.#shared(object));
      this.#handlers.updated(key, known, object);
      return;
    }
    if (known) this.#remove(key, undefined);
    this.#store.set(key, this.#shared(object));
    this.#handlers.added(key, object);
  }

  #remove(key: string, last: P | undefined): void {
    const known = this.#store.get(key);
    if (!known) return;
    if (last && !sameObject(known, last) && isOlder(last, known)) return; // the end of a predecessor
    this.#store.delete(key);
    this.#handlers.deleted(key, last && sameObject(known, last) ? this.#shared(last) : known);
  }

  #shared(object: P): P {
    if (this.#freezes) deepFreeze(object);
    return object;
  }
}

const sameObject = (a: KubeObject, b: KubeObject): boolean => a.metadata.uid === b.metadata.uid;

const isOlder = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.resourceVersion !== undefined &&
  b.metadata.resourceVersion !== undefined &&
  compareResourceVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) < 0;

function guarded(health: ReflectorHealth, report: (error: unknown) => void): ReflectorHealth {
  const guard = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      report(error);
    }
  };
  return {
    connected: () => guard(() => health.connected()),
    progress: () => guard(() => health.progress()),
    disconnected: (error) => guard(() => health.disconnected(error)),
  };
}
