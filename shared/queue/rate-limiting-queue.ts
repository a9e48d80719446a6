import type { Clock } from '../runtime/clock.ts';
import { DelayingQueue } from './delaying-queue.ts';
import { type BackoffOptions, ExponentialBackoff } from './exponential-backoff.ts';
import type { QueueObserver } from './work-queue.ts';

/** A delaying queue to which keys that failed come back, later each time. */
export class RateLimitingQueue<K extends string> extends DelayingQueue<K> {
  readonly #backoff: ExponentialBackoff<K>;

  constructor(clock: Clock, rateLimit?: BackoffOptions, observer?: QueueObserver<K>) {
    super(clock, observer);
    this.#backoff = new ExponentialBackoff(rateLimit);
  }

  /** Adds the key after its next wait. */
  addRateLimited(key: K): void {
    if (this.closed) return;
    this.observeRetry(key);
    this.addAfter(key, this.#backoff.next(key));
  }

  /** The key succeeded: its next failure counts as the first. */
  forget(key: K): void {
    this.#backoff.forget(key);
  }

  /** Failures since the key last succeeded. */
  retries(key: K): number {
    return this.#backoff.failures(key);
  }
}
