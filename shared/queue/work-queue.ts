import { Fifo } from './fifo.ts';

/** Hears what happens to the keys of a queue: where metrics are attached. */
export interface QueueObserver<K> {
  /** The key has to be worked on (again): said once until it is taken. */
  added(key: K): void;
  taken(key: K): void;
  done(key: K): void;
  /** The key was put back because of a failure. */
  retried(key: K): void;
}

/**
 * Keys to be worked on, in the order of their arrival, each by one worker at a time (the semantics of client-go's
 * work queue). A key is in one of these states:
 *
 * | dirty | processing |                                                             |
 * |-------|------------|-------------------------------------------------------------|
 * | no    | no         | unknown                                                     |
 * | yes   | no         | waits in `ready` for a worker                               |
 * | no    | yes        | a worker has it                                             |
 * | yes   | yes        | a worker has it, and it becomes ready again when it is done |
 */
export class WorkQueue<K extends string> {
  readonly #ready = new Fifo<K>();
  readonly #dirty = new Set<K>();
  readonly #processing = new Set<K>();
  readonly #waiting = new Set<(key: K | undefined) => void>();
  readonly #observer: QueueObserver<K> | undefined;
  #closed = false;

  constructor(observer?: QueueObserver<K>) {
    this.#observer = observer;
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#ready.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Adds a key once, however often it is asked. A key that is being worked on runs once more afterwards. */
  add(key: K): void {
    if (this.#closed || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    this.#observer?.added(key);
    if (!this.#processing.has(key)) this.#makeReady(key);
  }

  /**
   * Waits for a key; whoever got one calls `done` with it. Undefined once the queue is shut down or the signal is
   * aborted: a key given is never lost to a caller who has gone.
   */
  get(signal: AbortSignal): Promise<K | undefined> {
    if (this.#closed || signal.aborted) return Promise.resolve(undefined);
    const key = this.#ready.shift();
    if (key !== undefined) return Promise.resolve(this.#take(key));
    return new Promise((resolve) => {
      const settle = (result: K | undefined): void => {
        this.#waiting.delete(settle);
        signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const onAbort = (): void => settle(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(settle);
    });
  }

  /** The work on a key has ended, well or badly. */
  done(key: K): void {
    if (!this.#processing.delete(key)) return;
    this.#observer?.done(key);
    if (this.#dirty.has(key)) this.#makeReady(key);
  }

  /**
   * Takes no more keys and gives none out; those still waiting are dropped: whoever starts again lists everything
   * anew. Keys being worked on stay so until `done`.
   */
  shutDown(): void {
    this.#closed = true;
    this.#ready.clear();
    this.#dirty.clear();
    for (const settle of this.#waiting) settle(undefined);
  }

  protected observeRetry(key: K): void {
    this.#observer?.retried(key);
  }

  #makeReady(key: K): void {
    const [waiter] = this.#waiting;
    if (waiter === undefined) this.#ready.push(key);
    else waiter(this.#take(key));
  }

  #take(key: K): K {
    this.#dirty.delete(key);
    this.#processing.add(key);
    this.#observer?.taken(key);
    return key;
  }
}
