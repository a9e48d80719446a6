import type { Clock } from '../runtime/clock.ts';
import { type FifoNode, PriorityFifo } from './priority-fifo.ts';

/** Of keys added without one. */
export const defaultPriority = 0;

/** For work that can wait for what is new, such as the objects of an initial list (as in controller-runtime). */
export const lowPriority = -100;

/** Hears what happens to the keys of a queue: where metrics are attached. */
export interface QueueObserver<K> {
  /** The key has to be worked on (again): said once until it is taken. */
  added(key: K): void;
  /** `waitedMs`: since it was added. */
  taken(key: K, waitedMs: number): void;
  done(key: K): void;
  /** The key was put back because of a failure. */
  retried(key: K): void;
  /** So many keys that were added will not be taken: the queue was shut down. */
  dropped(keys: number): void;
}

interface Entry<K> extends FifoNode<Entry<K>> {
  readonly key: K;
  dirty: boolean;
  /** When it became dirty; monotonic ms. */
  dirtySince: number;
  /** With which it was given to the worker that has it. */
  priorityTaken: number;
}

/**
 * Keys to be worked on, those of greater priority first, else in the order of their arrival, each by one worker at a
 * time (the semantics of client-go's work queue). A key is in one of these states:
 *
 * | dirty | processing |                                                             |
 * |-------|------------|-------------------------------------------------------------|
 * | no    | no         | unknown                                                     |
 * | yes   | no         | waits in `ready` for a worker                               |
 * | no    | yes        | a worker has it                                             |
 * | yes   | yes        | a worker has it, and it becomes ready again when it is done |
 *
 * While there is work of greater priority, that of smaller priority waits.
 */
export class WorkQueue<K extends string> {
  /** The keys in `ready`. */
  readonly #waiting = new Map<K, Entry<K>>();
  readonly #ready = new PriorityFifo<Entry<K>>();
  readonly #processing = new Map<K, Entry<K>>();
  /** Workers without a key. */
  readonly #idle = new Set<(key: K | undefined) => void>();
  readonly #clock: Clock;
  readonly #observer: QueueObserver<K> | undefined;
  #closed = false;

  constructor(clock: Clock, observer?: QueueObserver<K>) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#ready.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Adds a key once, however often it is asked, with the greatest priority that was asked for. A key that is being
   * worked on runs once more afterwards.
   */
  add(key: K, priority = defaultPriority): void {
    if (this.#closed) return;
    const processing = this.#processing.get(key);
    if (processing?.dirty) {
      processing.priority = Math.max(processing.priority, priority);
    } else if (processing !== undefined) {
      processing.priority = priority;
      this.#makeDirty(processing);
    } else {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) {
        const entry = newEntry(key, priority);
        this.#makeDirty(entry);
        this.#makeReady(entry);
      } else if (priority > waiting.priority) {
        this.#ready.remove(waiting);
        waiting.priority = priority;
        this.#ready.push(waiting);
      }
    }
  }

  /**
   * Waits for a key; whoever got one calls `done` with it. Undefined once the queue is shut down or the signal is
   * aborted: a key given is never lost to a caller who has gone.
   */
  get(signal: AbortSignal): Promise<K | undefined> {
    if (this.#closed || signal.aborted) return Promise.resolve(undefined);
    const entry = this.#ready.shift();
    if (entry !== undefined) {
      this.#waiting.delete(entry.key);
      return Promise.resolve(this.#take(entry));
    }
    return new Promise((resolve) => {
      const settle = (result: K | undefined): void => {
        this.#idle.delete(settle);
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const onAbort = (): void => settle(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#idle.add(settle);
    });
  }

  /** With which priority the key was given to the worker that has it. */
  priorityOf(key: K): number {
    return this.#processing.get(key)?.priorityTaken ?? defaultPriority;
  }

  /** The work on a key has ended, well or badly. */
  done(key: K): void {
    const entry = this.#processing.get(key);
    if (entry === undefined) return;
    this.#processing.delete(key);
    this.#observer?.done(key);
    if (entry.dirty) this.#makeReady(entry);
  }

  /**
   * Takes no more keys and gives none out; those still waiting are dropped: whoever starts again lists everything
   * anew. Keys being worked on stay so until `done`.
   */
  shutDown(): void {
    if (this.#closed) return;
    this.#closed = true;
    let dropped = this.#waiting.size;
    this.#waiting.clear();
    this.#ready.clear();
    for (const entry of this.#processing.values()) {
      if (entry.dirty) dropped += 1;
      entry.dirty = false;
    }
    this.#observer?.dropped(dropped);
    for (const settle of this.#idle) settle(undefined);
  }

  protected observeRetry(key: K): void {
    this.#observer?.retried(key);
  }

  #makeDirty(entry: Entry<K>): void {
    entry.dirty = true;
    entry.dirtySince = this.#clock.monotonic();
    this.#observer?.added(entry.key);
  }

  #makeReady(entry: Entry<K>): void {
    const [worker] = this.#idle;
    if (worker !== undefined) {
      worker(this.#take(entry));
      return;
    }
    this.#waiting.set(entry.key, entry);
    this.#ready.push(entry);
  }

  #take(entry: Entry<K>): K {
    entry.dirty = false;
    entry.priorityTaken = entry.priority;
    this.#processing.set(entry.key, entry);
    this.#observer?.taken(entry.key, this.#clock.monotonic() - entry.dirtySince);
    return entry.key;
  }
}

const newEntry = <K>(key: K, priority: number): Entry<K> => ({
  key,
  priority,
  priorityTaken: priority,
  dirty: false,
  dirtySince: 0,
  previous: undefined,
  next: undefined,
});
