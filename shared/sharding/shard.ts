import type { Controller } from '../controller/controller.ts';
import type { Informer } from '../kube/informer.ts';
import { SyncTimeoutError } from '../kube/sync-timeout.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { type HeldLease, LeaseLostError } from '../lease/held-lease.ts';
import { FencedError } from '../lease/write-fence.ts';
import type { ShardLoad } from '../metrics/shard.ts';
import { shardLabel } from './contract.ts';
import type { Settling } from './shard-claim.ts';
import type { ShardObserver } from './shard-event.ts';
import { acquireShardLease, markSettled } from './shard-lease.ts';
import type { ShardController, ShardOptions } from './shard-options.ts';
import { weightOf } from './shard-weight.ts';
import { ShardWork } from './shard-work.ts';
import { SlotLease } from './slot-lease.ts';

/** A name that this process holds. */
interface HeldName {
  name: string;
  held: HeldLease;
  settling: Settling;
  /** To others than the Lease's readers. Never rejects. */
  tell(): Promise<void>;
  /** What to write on the Lease for whoever takes the name next. */
  marksForNext(): Promise<Record<string, string> | undefined>;
}

/**
 * One replica of a sharded operator: announces itself by a Lease, receives only its own objects, reconciles them,
 * and hands them over when the sharder asks for them.
 */
export class Shard {
  readonly #options: ShardOptions;
  readonly #observer: ShardObserver;
  readonly #definitions: readonly ShardController<KubeObject>[];
  readonly #work: ShardWork;
  #held: HeldLease | undefined;
  #name: string | undefined;
  #state: 'starting' | 'spare' | 'settling' | 'listing' | 'working' | 'stopping' = 'starting';

  constructor(options: ShardOptions, definitions: readonly ShardController<KubeObject>[]) {
    this.#options = options;
    this.#observer = options.observer ?? (() => undefined);
    this.#definitions = definitions;
    const named = {
      ...options,
      // Of a slot, it is known once that is held.
      get shard(): string {
        return name();
      },
    };
    const name = (): string => this.#name ?? options.shard;
    this.#work = new ShardWork(named, definitions, { permit: () => this.permit() });
  }

  /** Undefined as long as it has no slot. */
  get name(): string | undefined {
    return this.#name;
  }

  /**
   * Whether the shard works on its objects; if not, what it does instead. So is a spare, which waits for a slot: a rolling
   * update goes on only when it is.
   */
  get ready(): true | string {
    return this.#state === 'working' || this.#state === 'spare' ? true : `the shard is ${this.#state}`;
  }

  /** Undefined as long as it has no slot. */
  get load(): ShardLoad | undefined {
    if (this.#name === undefined || this.#held === undefined) return undefined;
    return { shard: this.#name, objects: this.#work.mainObjects, weight: weightOf(this.#held.lease) };
  }

  /** In the order of their definitions. */
  get controllers(): Controller<string>[] {
    return this.#work.controllers;
  }

  /** Of the shard's objects, if a controller is for them or owns them. It runs while the shard does. */
  informer(resource: Resource): Informer<KubeObject> | undefined {
    return this.#work.caches.get(resource);
  }

  /** Ms that a write which starts now may take. Throws FencedError when none may start. */
  permit(): number {
    if (this.#held === undefined) throw new FencedError('not written: the Lease is not held yet');
    return this.#held.fence.permit();
  }

  /**
   * Works until the signal is aborted, ends what is in flight (when `atOnce` is aborted, too, without a wait) and
   * releases the Lease. Throws LeaseLostError, without waiting for anything, when the Lease is lost: the process has
   * to end then. Throws SyncTimeoutError when a resource can't be read, and holds no Lease then.
   */
  async run(signal: AbortSignal, atOnce?: AbortSignal): Promise<void> {
    await this.#work.caches.waitUntilReadable(signal);
    const { name, held, settling, tell, marksForNext } = await this.#acquire(signal);
    this.#name = name;
    this.#held = held;
    this.#observer({ event: 'lease', state: 'acquired' });
    const ended = new AbortController();
    const lost = new AbortController();
    const keeping = held.keep(ended.signal);
    const telling = tell();
    const release = async (): Promise<void> => {
      await telling;
      await held.release(await marksForNext());
      this.#observer({ event: 'lease', state: 'released' });
    };
    const working = (async () => {
      const stop = AbortSignal.any([signal, lost.signal]);
      const hurry = atOnce ? AbortSignal.any([atOnce, lost.signal]) : lost.signal;
      try {
        this.#state = 'settling';
        await this.#options.clock.sleep(settling.beforeListMs, stop);
        markSettled(held);
        this.#observer({ event: 'lease', state: 'settled' });
        this.#state = 'listing';
        await this.#work.run(stop, hurry, settling.beforeReconcileMs, () => (this.#state = 'working'));
      } catch (error) {
        if (!stop.aborted) throw error;
      } finally {
        this.#state = 'stopping';
        ended.abort();
      }
    })();
    try {
      // `keeping` ends first only when the Lease is lost.
      await Promise.race([working, keeping.then(() => working)]);
    } catch (error) {
      lost.abort(error);
      this.#state = 'stopping';
      if (error instanceof LeaseLostError) this.#observer({ event: 'lease', state: 'lost' });
      // No work has begun that could go on without the Lease.
      if (error instanceof SyncTimeoutError) await release();
      throw error;
    }
    await release();
  }

  async #acquire(signal: AbortSignal): Promise<HeldName> {
    const { shard, slots, leaseNamespace: namespace } = this.#options;
    const nameInUse = (name: string): Promise<boolean> => this.#nameInUse(name, signal);
    if (slots === undefined) {
      const options = { ...this.#options, namespace, nameInUse: () => nameInUse(shard) };
      const acquired = await acquireShardLease(options, signal);
      const nothing = (): Promise<undefined> => Promise.resolve(undefined);
      return { name: shard, ...acquired, tell: nothing, marksForNext: nothing };
    }
    const spare = (): void => {
      this.#state = 'spare';
    };
    const slot = new SlotLease({ ...this.#options, namespace, pod: slots.pod, nameInUse, spare });
    const acquired = await slot.acquire(signal);
    const { name } = acquired;
    return { ...acquired, tell: () => slot.tell(name), marksForNext: () => slot.marksForNext(name) };
  }

  /** By a consistent read: whether any object that is reconciled carries that name as its shard. */
  async #nameInUse(name: string, signal: AbortSignal): Promise<boolean> {
    const { client, ring, logger } = this.#options;
    const labelSelector = `${shardLabel(ring)}=${name}`;
    try {
      for (const { for: main } of this.#definitions) {
        const options = { labelSelector, limit: 1, signal };
        const { items } = await client.listPage(main.resource, 'metadata', options);
        if (items.length > 0) return true;
      }
      return false;
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ err: error }, 'could not see whether the shard name is in use: settling');
      return true;
    }
  }
}
