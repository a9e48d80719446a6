import type { Clock } from './clock.ts';

/** Lets everything else that is ready run (timers, sockets, the renewal of a Lease) before it resolves. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Long computations that have yielded: each turn of the event loop continues one, else their slices would add up. */
const yielded: Array<() => void> = [];

function continueOne(): void {
  yielded.shift()?.();
  if (yielded.length > 0) setImmediate(continueOne);
}

const turnOfItsOwn = (): Promise<void> =>
  new Promise((resolve) => {
    if (yielded.push(resolve) === 1) setImmediate(continueOne);
  });

const sampleEveryMs = 100;

/**
 * Tells ten times a second how many ms a timer that was due had to wait: what a renewal of a Lease or an admission
 * answer would have waited. For the life of the process, which it doesn't keep alive.
 */
export function sampleEventLoopDelay(observe: (delayMs: number) => void): void {
  let dueAt = performance.now() + sampleEveryMs;
  setInterval(() => {
    const now = performance.now();
    observe(Math.max(0, now - dueAt));
    dueAt = now + sampleEveryMs;
  }, sampleEveryMs).unref();
}

/**
 * Keeps long computations from holding up the event loop: called between their steps, it yields once its budget of
 * synchronous time is used up. However many computations there are, a turn of the event loop has one slice.
 */
export class Slice {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #start: number;

  /** `budgetMs`: default 5, since the collector may take as long again within it. */
  constructor(clock: Clock, budgetMs = 5) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#start = clock.monotonic();
  }

  /** Time to yield: asked before `maybeYield` where there are so many steps that a promise for each is too much. */
  get isOver(): boolean {
    return this.#clock.monotonic() - this.#start >= this.#budgetMs;
  }

  async maybeYield(): Promise<void> {
    if (!this.isOver) return;
    await turnOfItsOwn();
    this.#start = this.#clock.monotonic();
  }
}
