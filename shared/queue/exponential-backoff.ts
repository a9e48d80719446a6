export interface BackoffOptions {
  /** Wait after the first failure, in ms. Default 5. */
  baseMs?: number | undefined;
  /** Longest wait, in ms. Default 60,000. */
  maxMs?: number | undefined;
}

/** How long to wait after each failure of a key: base × 2ⁿ, at most `maxMs`; each key counts for itself. */
export class ExponentialBackoff<K> {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #failures = new Map<K, number>();

  constructor({ baseMs = 5, maxMs = 60_000 }: BackoffOptions = {}) {
    if (!(baseMs > 0 && maxMs >= baseMs)) throw new RangeError('backoff needs 0 < baseMs <= maxMs');
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  /** Counts one more failure; the wait for it in ms. */
  next(key: K): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    return Math.min(this.#baseMs * 2 ** failures, this.#maxMs);
  }

  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: K): void {
    this.#failures.delete(key);
  }
}
