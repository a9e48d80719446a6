import { type HeapNode, MinHeap } from '../queue/min-heap.ts';
import type { Clock } from '../runtime/clock.ts';

/** Turns of the event loop given to what a timer set off: enough for chains of promises and streams in memory. */
const TURNS = 5;

interface Timer extends HeapNode {
  at: number;
  order: number;
  callback: () => void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  readonly #timers = new MinHeap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  readonly #startDate: number;
  #monotonic = 0;
  #order = 0;

  /** `start`: the date and time of day at monotonic time 0. */
  constructor(start = new Date('2026-01-02T03:04:05.000Z')) {
    this.#startDate = start.getTime();
  }

  /** Timers that have not fired yet. */
  get pending(): number {
    return this.#timers.size;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  now(): Date {
    return new Date(this.#startDate + this.#monotonic);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#monotonic + Math.max(ms, 0), order: this.#order++, callback, position: -1 };
    this.#timers.push(timer);
    return () => this.#timers.remove(timer);
  }

  /**
   * Lets `ms` milliseconds pass: timers fire at their time and in their order, also those set meanwhile, and what
   * each one sets off runs before the next. `advance(0)` lets run what is ready now.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (let next = this.#timers.peek(); next !== undefined && next.at <= end; next = this.#timers.peek()) {
      this.#timers.remove(next);
      this.#monotonic = Math.max(this.#monotonic, next.at);
      next.callback();
      await settle();
    }
    this.#monotonic = Math.max(this.#monotonic, end);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
