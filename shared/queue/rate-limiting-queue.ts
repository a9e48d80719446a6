import type { Clock } from '../runtime/clock.ts';
import { DelayingQueue } from './delaying-queue.ts';
import { type BackoffOptions, ExponentialBackoff } from './exponential-backoff.ts';
import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';
import type { QueueObserver } from './work-queue.ts';

export interface RateLimitOptions extends BackoffOptions {
  /** How often keys come back after failures, all keys together. Default: not limited. */
  overall?: TokenBucketOptions | undefined;
}

/**
 * A delaying queue to which keys that failed come back, later each time. A key waits for its own backoff and for the
 * overall limit, whichever is longer, but never longer than `maxMs`.
 */
export class RateLimitingQueue<K extends string> extends DelayingQueue<K> {
  readonly #backoff: ExponentialBackoff<K>;
  readonly #bucket: TokenBucket | undefined;

  constructor(clock: Clock, rateLimit: RateLimitOptions = {}, observer?: QueueObserver<K>) {
    super(clock, observer);
    this.#backoff = new ExponentialBackoff(clock, rateLimit);
    this.#bucket = rateLimit.overall && new TokenBucket(clock, rateLimit.overall);
  }

  /** Adds the key after its next wait. */
  addRateLimited(key: K, priority?: number): void {
    if (this.closed) return;
    this.observeRetry(key);
    const overallMs = this.#bucket?.reserve(this.#backoff.maxMs) ?? 0;
    this.addAfter(key, Math.max(this.#backoff.next(key), overallMs), priority);
  }

  /** The key succeeded: its next failure counts as the first. */
  forget(key: K): void {
    this.#backoff.forget(key);
  }

  /** Failures since the key last succeeded; 0 also when the last one is long ago. */
  retries(key: K): number {
    return this.#backoff.failures(key);
  }
}
