import type { Clock } from '../runtime/clock.ts';
import { type HeapNode, MinHeap } from './min-heap.ts';
import { defaultPriority, type QueueObserver, WorkQueue } from './work-queue.ts';

/** Timers of the platform count in 31 bits; a longer wait is waited for in parts. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Keys added in one go, so that many that fall due at once don't hold up the event loop. */
const KEYS_PER_TURN = 1_000;

interface Delayed<K> extends HeapNode {
  key: K;
  /** Monotonic ms. */
  at: number;
  order: number;
  priority: number;
}

/** A work queue to which keys can be added after a while. All delays together use one timer. */
export class DelayingQueue<K extends string> extends WorkQueue<K> {
  readonly #clock: Clock;
  readonly #delayed = new Map<K, Delayed<K>>();
  readonly #heap = new MinHeap<Delayed<K>>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #order = 0;
  #timer: { at: number; cancel: () => void } | undefined;

  constructor(clock: Clock, observer?: QueueObserver<K>) {
    super(clock, observer);
    this.#clock = clock;
  }

  /** Keys whose delay has not passed yet. */
  get delayedLength(): number {
    return this.#heap.size;
  }

  /**
   * Adds the key when `ms` milliseconds have passed. Of several delays of one key, the one that ends first counts,
   * and the greatest priority. A delay is independent of what else is done with the key meanwhile.
   */
  addAfter(key: K, ms: number, priority = defaultPriority): void {
    if (this.closed) return;
    if (!(ms > 0)) {
      this.add(key, priority);
      return;
    }
    const at = this.#clock.monotonic() + ms;
    const known = this.#delayed.get(key);
    if (known === undefined) {
      const entry = { key, at, order: this.#order++, priority, position: -1 };
      this.#delayed.set(key, entry);
      this.#heap.push(entry);
    } else {
      known.priority = Math.max(known.priority, priority);
      if (at < known.at) {
        known.at = at;
        this.#heap.reorder(known);
      }
    }
    this.#arm();
  }

  override shutDown(): void {
    super.shutDown();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
    this.#heap.clear();
  }

  #arm(): void {
    const next = this.#heap.peek();
    if (next === undefined || (this.#timer !== undefined && this.#timer.at <= next.at)) return;
    this.#timer?.cancel();
    const wait = Math.min(Math.max(next.at - this.#clock.monotonic(), 0), LONGEST_TIMER_MS);
    this.#timer = { at: next.at, cancel: this.#clock.after(wait, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let moved = 0; moved < KEYS_PER_TURN; moved += 1) {
      const next = this.#heap.peek();
      if (next === undefined || next.at > now) break;
      this.#heap.remove(next);
      this.#delayed.delete(next.key);
      this.add(next.key, next.priority);
    }
    this.#arm();
  }
}
