import type { KubeObject } from '../kube/types.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import { shardLabel } from './contract.ts';
import type { ShardObserver } from './shard-event.ts';
import { acquireShardLease, markSettled } from './shard-lease.ts';
import type { ShardOptions } from './shard-options.ts';
import { ShardWork } from './shard-work.ts';

/**
 * One replica of a sharded operator: announces itself by a Lease, receives only its own objects, reconciles them,
 * and hands them over when the sharder asks for them.
 */
export class Shard<Main extends KubeObject> {
  readonly #options: ShardOptions<Main>;
  readonly #observer: ShardObserver;
  #state: 'starting' | 'settling' | 'listing' | 'working' | 'stopping' = 'starting';

  constructor(options: ShardOptions<Main>) {
    this.#options = options;
    this.#observer = options.observer ?? (() => undefined);
  }

  /** Whether the shard works on its objects; if not, what it does instead. */
  get ready(): true | string {
    return this.#state === 'working' ? true : `the shard is ${this.#state}`;
  }

  /**
   * Works until the signal is aborted, ends what is in flight and releases the Lease.
   * Throws LeaseLostError, without waiting for anything, when the Lease is lost: the process has to end then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { held, settling } = await acquireShardLease(
      { ...this.#options, namespace: this.#options.leaseNamespace, nameInUse: () => this.#nameInUse(signal) },
      signal,
    );
    this.#observer({ event: 'lease', state: 'acquired' });
    const ended = new AbortController();
    const lost = new AbortController();
    const keeping = held.keep(ended.signal);
    const working = (async () => {
      const stop = AbortSignal.any([signal, lost.signal]);
      try {
        this.#state = 'settling';
        await this.#options.clock.sleep(settling.beforeListMs, stop);
        markSettled(held);
        this.#observer({ event: 'lease', state: 'settled' });
        this.#state = 'listing';
        const work = new ShardWork(this.#options, held.fence, this.#observer);
        await work.run(stop, settling.beforeReconcileMs, () => (this.#state = 'working'));
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
      throw error;
    }
    await held.release();
    this.#observer({ event: 'lease', state: 'released' });
  }

  /** By a consistent read: whether any main object carries the name of this shard. */
  async #nameInUse(signal: AbortSignal): Promise<boolean> {
    const { client, main, ring, shard, logger } = this.#options;
    try {
      const labelSelector = `${shardLabel(ring)}=${shard}`;
      const { items } = await client.listPage(main, 'metadata', { labelSelector, limit: 1, signal });
      return items.length > 0;
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ err: error }, 'could not see whether the shard name is in use: settling');
      return true;
    }
  }
}
