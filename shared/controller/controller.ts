import type { ControllerMetrics, ControllerObserver } from '../metrics/controller.ts';
import type { BackoffOptions } from '../queue/exponential-backoff.ts';
import { RateLimitingQueue } from '../queue/rate-limiting-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import { Slice } from '../runtime/event-loop.ts';
import type { Logger } from '../runtime/logger.ts';

/** How a reconcile ended: for now, or to be called again after `afterMs` milliseconds. */
export type Outcome = { kind: 'done' } | { kind: 'later'; afterMs: number };

/**
 * Brings the object of that key to its wanted state, whatever happened before: it gets only the key and looks itself.
 * No result means `done`; an error thrown means another try after a growing wait. The signal is aborted only when the
 * controller has waited long enough for the reconcile to end.
 */
export type Reconcile<K extends string> = (key: K, signal: AbortSignal) => Promise<Outcome | void>;

export interface ControllerOptions<K extends string> {
  /** Names the controller in logs and metrics. */
  name: string;
  reconcile: Reconcile<K>;
  /** Reconciles at a time, each for another key. Default 1. */
  concurrency?: number | undefined;
  clock: Clock;
  logger: Logger;
  metrics?: ControllerMetrics | undefined;
  /** Waits after failures. Default: 5 ms doubled each time, at most 60 s. */
  rateLimit?: BackoffOptions | undefined;
  /** How long reconciles in flight may go on after the stop before their signal is aborted, in ms. Default 15,000. */
  stopTimeoutMs?: number | undefined;
}

type Result = Outcome | { kind: 'failed'; error: unknown };

/** Calls `reconcile` for every key enqueued, never twice at a time for one key, and again after a failure. */
export class Controller<K extends string> {
  readonly name: string;
  readonly queue: RateLimitingQueue<K>;
  readonly #reconcile: Reconcile<K>;
  readonly #concurrency: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #observer: ControllerObserver | undefined;
  readonly #stopTimeoutMs: number;
  readonly #slice: Slice;
  readonly #inFlight = new Set<AbortController>();

  constructor(options: ControllerOptions<K>) {
    this.name = options.name;
    this.#reconcile = options.reconcile;
    this.#concurrency = options.concurrency ?? 1;
    if (!Number.isInteger(this.#concurrency) || this.#concurrency < 1) {
      throw new RangeError(`controller ${this.name}: concurrency must be a positive integer`);
    }
    this.#clock = options.clock;
    this.#logger = options.logger.child({ controller: this.name });
    this.#observer = options.metrics?.observe(this.name, this.#clock);
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 15_000;
    this.#slice = new Slice(this.#clock);
    this.queue = new RateLimitingQueue<K>(this.#clock, options.rateLimit, this.#observer?.queue);
  }

  /** Keys enqueued before `run` wait for it; after the stop they are ignored. */
  enqueue(key: K): void {
    this.queue.add(key);
  }

  enqueueAfter(key: K, ms: number): void {
    this.queue.addAfter(key, ms);
  }

  /**
   * Works until the signal is aborted; then no reconcile begins any more. Resolves when the last one in flight has
   * ended, even if it ignores its own signal: what follows (giving up a Lease) relies on nothing being at work.
   * To be called once.
   */
  async run(signal: AbortSignal): Promise<void> {
    let cancelDeadline: (() => void) | undefined;
    const stop = (): void => {
      this.queue.shutDown();
      cancelDeadline = this.#clock.after(this.#stopTimeoutMs, () => this.#abortInFlight());
    };
    if (signal.aborted) this.queue.shutDown();
    else signal.addEventListener('abort', stop, { once: true });
    await Promise.all(Array.from({ length: this.#concurrency }, () => this.#work(signal)));
    cancelDeadline?.();
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#slice.maybeYield(); // reconciles that find nothing to do don't wait for anything
      const key = await this.queue.get(signal);
      if (key === undefined) return;
      // The stop may have come between the queue's answer and this line.
      if (!signal.aborted) await this.#process(key);
      this.queue.done(key);
    }
  }

  async #process(key: K): Promise<void> {
    const start = this.#clock.monotonic();
    const result = await this.#reconcileOnce(key);
    switch (result.kind) {
      case 'done':
        this.queue.forget(key);
        break;
      case 'later':
        this.queue.forget(key);
        this.queue.addAfter(key, result.afterMs);
        break;
      case 'failed':
        this.queue.addRateLimited(key);
        this.#logger.error({ key, err: result.error, retries: this.queue.retries(key) }, 'reconcile failed');
        break;
    }
    this.#observer?.reconciled(result.kind, this.#clock.monotonic() - start);
  }

  /** Never throws. */
  async #reconcileOnce(key: K): Promise<Result> {
    const abort = new AbortController();
    this.#inFlight.add(abort);
    this.#observer?.activeWorkers(this.#inFlight.size);
    try {
      return checked(await this.#reconcile(key, abort.signal));
    } catch (error) {
      return { kind: 'failed', error };
    } finally {
      this.#inFlight.delete(abort);
      this.#observer?.activeWorkers(this.#inFlight.size);
    }
  }

  #abortInFlight(): void {
    this.#logger.warn({ inFlight: this.#inFlight.size }, 'reconciles did not end in time, aborting them');
    for (const abort of this.#inFlight) abort.abort(new Error(`controller ${this.name} is stopping`));
  }
}

/** A reconcile written without types may return anything; that is a failure, not a crash. */
function checked(outcome: Outcome | void): Result {
  switch (outcome?.kind) {
    case undefined:
      if (outcome === undefined) return { kind: 'done' };
      break;
    case 'done':
      return outcome;
    case 'later':
      if (outcome.afterMs >= 0 && outcome.afterMs < Infinity) return outcome;
      break;
  }
  return { kind: 'failed', error: new TypeError('reconcile returned something that is not an outcome') };
}
