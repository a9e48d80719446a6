import type { Clock } from './clock.ts';

/** Lets everything else that is ready run (timers, sockets, the renewal of a Lease) before it resolves. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Keeps long computations from holding up the event loop: called between their steps, it yields once its budget of
 * synchronous time is used up.
 */
export class Slice {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #start: number;

  /** `budgetMs`: default 10. */
  constructor(clock: Clock, budgetMs = 10) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#start = clock.monotonic();
  }

  async maybeYield(): Promise<void> {
    if (this.#clock.monotonic() - this.#start < this.#budgetMs) return;
    await yieldToEventLoop();
    this.#start = this.#clock.monotonic();
  }
}
