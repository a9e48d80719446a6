const firstMs = 800;
/** client-go's 30 s would leave a standby blind for that long after an outage that is over. */
const maxMs = 10_000;
const maxRetryAfterMs = 60_000;

/** Waits between attempts to list or watch: 0.8 s doubling up to 10 s, the upper half of each at random. */
export class ReconnectBackoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The wait in ms after one more failure; longer if the API server asked for it, but at most 60 s. */
  next(retryAfterMs = 0): number {
    const delay = Math.min(firstMs * 2 ** this.#failures, maxMs);
    this.#failures = Math.min(this.#failures + 1, 16);
    return Math.max(delay * (0.5 + this.#random() / 2), Math.min(retryAfterMs, maxRetryAfterMs));
  }

  reset(): void {
    this.#failures = 0;
  }
}
