import type { Clock } from '../runtime/clock.ts';

export interface BackoffOptions {
  /** Wait after the first failure, in ms. Default 5. */
  baseMs?: number | undefined;
  /** Longest wait, in ms. Default 60,000. */
  maxMs?: number | undefined;
}

/** Failures that are followed by no others for this long, or twice the longest wait if that is more, are forgotten. */
const leastKeptMs = 600_000;

const betweenSweepsMs = 60_000;

/** How long to wait after each failure of a key: base × 2ⁿ, at most `maxMs`; each key counts for itself. */
export class ExponentialBackoff<K> {
  readonly maxMs: number;
  readonly #clock: Clock;
  readonly #baseMs: number;
  /** Those whose last failure is oldest come first. */
  readonly #failures = new Map<K, { count: number; lastAt: number }>();
  #sweptAt: number;

  constructor(clock: Clock, { baseMs = 5, maxMs = 60_000 }: BackoffOptions = {}) {
    if (!(baseMs > 0)) throw new RangeError(`baseMs must be more than 0, not ${baseMs}`);
    if (!(maxMs >= baseMs)) throw new RangeError(`maxMs must be at least baseMs (${baseMs}), not ${maxMs}`);
    this.#clock = clock;
    this.#baseMs = baseMs;
    this.maxMs = maxMs;
    this.#sweptAt = clock.monotonic();
  }

  /** Keys whose failures are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** Counts one more failure; the wait for it in ms. */
  next(key: K): number {
    this.#forgetOld();
    const count = this.failures(key);
    this.#failures.delete(key);
    this.#failures.set(key, { count: count + 1, lastAt: this.#clock.monotonic() });
    return Math.min(this.#baseMs * 2 ** count, this.maxMs);
  }

  failures(key: K): number {
    return this.#failures.get(key)?.count ?? 0;
  }

  forget(key: K): void {
    this.#failures.delete(key);
    this.#forgetOld();
  }

  /** Of keys that nobody comes back to, such as those of objects that have moved away. */
  #forgetOld(): void {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt < betweenSweepsMs) return;
    this.#sweptAt = now;
    const keptMs = Math.max(leastKeptMs, 2 * this.maxMs);
    for (const [key, { lastAt }] of this.#failures) {
      if (now - lastAt <= keptMs) return;
      this.#failures.delete(key);
    }
  }
}
