import type { Clock } from '../runtime/clock.ts';

export interface TokenBucketOptions {
  /** Tokens that come per second. */
  perSecond: number;
  /** Tokens at most, and at the start. */
  burst: number;
}

/** Limits how often something happens: each time takes a token, or reserves one that is still to come. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  /** Negative: reserved, and still to come. */
  #tokens: number;
  #countedAt: number;

  constructor(clock: Clock, { perSecond, burst }: TokenBucketOptions) {
    // With infinitely many per second, no time passed would make NaN tokens.
    if (!(perSecond > 0 && perSecond < Infinity))
      throw new RangeError(`perSecond must be more than 0, and finite, not ${perSecond}`);
    if (!(burst >= 1)) throw new RangeError(`burst must be at least 1, not ${burst}`);
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#countedAt = clock.monotonic();
  }

  /**
   * Takes the next token that nobody has reserved; how long to wait for it, in ms. When that would be longer than
   * `mostMs`, it takes none, and says `mostMs`.
   */
  reserve(mostMs: number): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#countedAt) * this.#perMs);
    this.#countedAt = now;
    const waitMs = Math.max(0, (1 - this.#tokens) / this.#perMs);
    if (waitMs > mostMs) return mostMs;
    this.#tokens -= 1;
    return waitMs;
  }
}
