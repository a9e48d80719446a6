import { ApiError, TransportError } from '@controller-sharding/shared/kube/errors.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';

/** Who goes first: objects that nobody works on; those without a shard, or not on the one they should be; the rest. */
const priorities = ['rescue', 'place', 'level'] as const;
export type MovePriority = (typeof priorities)[number];

/**
 * Levelling is never urgent, and each of its writes makes a shard write more: it uses one in so many of the places, so
 * that the shards' hand-overs, begun with an object and to be ended with its owner, don't wait behind it.
 */
const levellingPart = 4;

/**
 * The moves that are under way in this process at once, of all rings together: at most `most`, and fewer when the API
 * server has enough. Who waits is let in by priority, then in turn.
 */
export class MoveLimit {
  readonly most: number;
  readonly #clock: Clock;
  readonly #limit: AdaptiveLimit;
  readonly #waiting: Record<MovePriority, Array<() => void>> = { rescue: [], place: [], level: [] };
  #running = 0;
  #levelling = 0;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.most = most;
    this.#limit = new AdaptiveLimit(most);
  }

  /** Moves that may be under way at once now. */
  get allowed(): number {
    return this.#limit.value;
  }

  get running(): number {
    return this.#running;
  }

  /**
   * Calls `work` for every item, within the limit. Rejects with the first error, once all have ended. What the API server
   * refuses for one item keeps no other one waiting; after any other error no more are begun.
   * `work` has to check, once it is called, that its decision still stands: it may have waited. It must not call this.
   */
  async forEach<T>(
    priority: MovePriority,
    items: Iterable<T>,
    work: (item: T) => Promise<void>,
  ): Promise<void> {
    const iterator = items[Symbol.iterator]();
    const errors: unknown[] = [];
    let stopped = false;
    const worker = async (): Promise<void> => {
      let holds = false;
      for (let next = iterator.next(); next.done !== true && !stopped; next = iterator.next()) {
        await this.#enter(priority, holds);
        holds = true;
        if (stopped) break;
        try {
          await work(next.value);
        } catch (error) {
          errors.push(error);
          if (!isOfOneItem(error)) stopped = true;
        }
      }
      if (holds) this.#leave(priority);
    };
    await Promise.all(Array.from({ length: this.most }, worker));
    if (errors.length > 0) throw errors[0];
  }

  /** A write begins; the result is to be called with the error that it ends with, or with nothing. */
  writing(): (error?: unknown) => void {
    const startedAt = this.#clock.monotonic();
    return (error) => {
      const now = this.#clock.monotonic();
      if (isOverload(error)) this.#limit.overloaded(now);
      else if (error === undefined) this.#limit.answered(now - startedAt, this.#running, now);
      this.#admit();
    };
  }

  /** `holds`: a place is given back for it, after the wish for the next was noted: else others would go first. */
  async #enter(priority: MovePriority, holds: boolean): Promise<void> {
    const admitted = Promise.withResolvers<void>();
    this.#waiting[priority].push(admitted.resolve);
    if (holds) this.#leave(priority);
    else this.#admit();
    await admitted.promise;
  }

  #leave(priority: MovePriority): void {
    this.#running -= 1;
    if (priority === 'level') this.#levelling -= 1;
    this.#admit();
  }

  #admit(): void {
    while (this.#running < this.allowed) {
      const priority = priorities.find((each) => this.#waiting[each].length > 0);
      if (priority === undefined || (priority === 'level' && !this.#mayLevel())) return;
      this.#running += 1;
      if (priority === 'level') this.#levelling += 1;
      this.#waiting[priority].shift()?.();
    }
  }

  #mayLevel(): boolean {
    return this.#levelling < Math.max(1, this.most / levellingPart);
  }
}

const isOverload = (error: unknown): boolean =>
  (error instanceof ApiError && [429, 503, 504].includes(error.status)) ||
  (error instanceof TransportError && error.code === 'KUBE_TIMEOUT');

/** A refusal by the API server, or by somebody whom it asked; not that it is overloaded. */
const isOfOneItem = (error: unknown): boolean =>
  error instanceof ApiError && error.status < 500 && error.status !== 429;
