import type { ControllerMetrics, ControllerObserver } from '../metrics/controller.ts';
import { RateLimitingQueue, type RateLimitOptions } from '../queue/rate-limiting-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import { Slice } from '../runtime/event-loop.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Outcome, ReconcileTimeoutError, type Result, resultOf, resultOfError } from './outcome.ts';

/**
 * Brings the object of that key to its wanted state, whatever happened before: it gets only the key and looks itself.
 * No result means `done`; an error thrown means another try after a growing wait, unless it is a TerminalError. The
 * signal is aborted at the deadline of the reconcile, and when a controller that stops has waited long enough for it.
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
  /** Waits after failures. Default: 5 ms doubled each time, at most 60 s, and 10 per second with a burst of 100. */
  rateLimit?: RateLimitOptions | undefined;
  /**
   * When a reconcile counts as failed, in ms. Its signal is aborted then. One that goes on all the same keeps its key
   * (there are never two for one key) but not its worker, unless as many as there are workers go on so. Default: never.
   */
  reconcileTimeoutMs?: number | undefined;
  /** How long reconciles in flight may go on after the stop before their signal is aborted, in ms. Default 15,000. */
  stopTimeoutMs?: number | undefined;
}

/** As client-go has it: overall, for what comes back after failures. */
const overallRetries = { perSecond: 10, burst: 100 };

/** Timers of the platform count in 31 bits. */
const longestTimerMs = 2 ** 31 - 1;
const isTimerMs = (ms: number): boolean => ms >= 1 && ms <= longestTimerMs;

/** Calls `reconcile` for every key enqueued, never twice at a time for one key, and again after a failure. */
export class Controller<K extends string> {
  readonly name: string;
  readonly queue: RateLimitingQueue<K>;
  readonly #reconcile: Reconcile<K>;
  readonly #concurrency: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #observer: ControllerObserver | undefined;
  readonly #reconcileTimeoutMs: number | undefined;
  readonly #stopTimeoutMs: number;
  readonly #slice: Slice;
  readonly #inFlight = new Set<AbortController>();
  /** The ends of those that went on after their deadline. */
  readonly #overdue = new Set<Promise<void>>();

  constructor(options: ControllerOptions<K>) {
    this.name = options.name;
    this.#reconcile = options.reconcile;
    this.#concurrency = options.concurrency ?? 1;
    if (!Number.isInteger(this.#concurrency) || this.#concurrency < 1) {
      throw new RangeError(
        `controller ${this.name}: concurrency must be a whole number of at least 1, not ${this.#concurrency}`,
      );
    }
    this.#reconcileTimeoutMs = options.reconcileTimeoutMs;
    if (this.#reconcileTimeoutMs !== undefined && !isTimerMs(this.#reconcileTimeoutMs)) {
      throw new RangeError(
        `controller ${this.name}: reconcileTimeoutMs must be from 1 to ${longestTimerMs}, not ${this.#reconcileTimeoutMs}`,
      );
    }
    this.#clock = options.clock;
    this.#logger = options.logger.child({ controller: this.name });
    this.#observer = options.metrics?.observe(this.name, this.#clock, this.#concurrency);
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 15_000;
    if (!(this.#stopTimeoutMs >= 0)) {
      throw new RangeError(
        `controller ${this.name}: stopTimeoutMs must be 0 or more, not ${this.#stopTimeoutMs}`,
      );
    }
    this.#slice = new Slice(this.#clock);
    const rateLimit = { overall: overallRetries, ...options.rateLimit };
    this.queue = new RateLimitingQueue<K>(this.#clock, rateLimit, this.#observer?.queue);
  }

  /** Keys enqueued before `run` wait for it; after the stop they are ignored. Those of greater priority go first. */
  enqueue(key: K, priority?: number): void {
    this.queue.add(key, priority);
  }

  enqueueAfter(key: K, ms: number, priority?: number): void {
    this.queue.addAfter(key, ms, priority);
  }

  /**
   * Works until the signal is aborted; then no reconcile begins any more. Resolves when the last one in flight has
   * ended, even if it ignores its own signal: what follows (giving up a Lease) relies on nothing being at work.
   * When `atOnce` is aborted, too, those in flight are aborted without a wait. To be called once.
   */
  async run(stopped: AbortSignal, atOnce?: AbortSignal): Promise<void> {
    // Nothing may begin between an `atOnce` and the stop that follows it.
    const signal = atOnce ? AbortSignal.any([stopped, atOnce]) : stopped;
    let cancelDeadline: (() => void) | undefined;
    const stop = (): void => {
      this.queue.shutDown();
      cancelDeadline = this.#clock.after(this.#stopTimeoutMs, abortAll);
    };
    const abortAll = (): void => this.#abortInFlight();
    atOnce?.addEventListener('abort', abortAll, { once: true });
    if (signal.aborted) this.queue.shutDown();
    else signal.addEventListener('abort', stop, { once: true });
    await Promise.all(Array.from({ length: this.#concurrency }, () => this.#work(signal)));
    await Promise.all(this.#overdue);
    cancelDeadline?.();
    atOnce?.removeEventListener('abort', abortAll);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#slice.maybeYield(); // reconciles that find nothing to do don't wait for anything
      const key = await this.queue.get(signal);
      if (key === undefined) return;
      // The stop may have come between the queue's answer and this line.
      if (signal.aborted) this.queue.done(key);
      else await this.#process(key);
    }
  }

  /** Resolves when the worker may go on. */
  async #process(key: K): Promise<void> {
    const start = this.#clock.monotonic();
    const abort = new AbortController();
    this.#inFlight.add(abort);
    this.#observer?.activeWorkers(this.#inFlight.size);
    const ending = this.#reconcileOnce(key, abort.signal);
    const result = await this.#untilDeadline(ending, abort);
    this.#act(key, result);
    this.#observer?.reconciled(result.kind, this.#clock.monotonic() - start);
    const end = (): void => {
      this.#inFlight.delete(abort);
      this.#observer?.activeWorkers(this.#inFlight.size);
      this.queue.done(key);
    };
    if (result.kind !== 'timeout') {
      end();
      return;
    }
    const ended = ending.then(() => {
      end();
      this.#overdue.delete(ended);
      this.#logger.info(
        { key, durationMs: this.#clock.monotonic() - start },
        'reconcile ended after its deadline',
      );
    });
    this.#overdue.add(ended);
    if (this.#overdue.size > this.#concurrency) await ended;
  }

  #act(key: K, result: Result): void {
    const { queue } = this;
    const priority = queue.priorityOf(key);
    switch (result.kind) {
      case 'done':
        queue.forget(key);
        break;
      case 'later':
        queue.forget(key);
        queue.addAfter(key, result.afterMs, priority);
        break;
      case 'conflict':
        queue.addRateLimited(key, priority);
        this.#logger.debug({ key, err: result.error }, 'the object had changed meanwhile, reconciling again');
        break;
      case 'timeout':
      case 'panic':
      case 'failed':
        queue.addRateLimited(key, priority);
        this.#logger.error({ key, err: result.error, retries: queue.retries(key) }, 'reconcile failed');
        break;
      case 'terminal':
        queue.forget(key);
        this.#logger.error(
          { key, err: result.error },
          'reconcile failed, not tried again until its object changes',
        );
        break;
    }
  }

  /** Never throws. */
  async #reconcileOnce(key: K, signal: AbortSignal): Promise<Result> {
    try {
      return resultOf(await this.#reconcile(key, signal));
    } catch (error) {
      return resultOfError(error);
    }
  }

  async #untilDeadline(ending: Promise<Result>, abort: AbortController): Promise<Result> {
    const timeoutMs = this.#reconcileTimeoutMs;
    if (timeoutMs === undefined) return ending;
    const { promise: deadline, resolve } = Promise.withResolvers<Result>();
    const cancel = this.#clock.after(timeoutMs, () => {
      const error = new ReconcileTimeoutError(`not ended after ${timeoutMs} ms; its key waits until it has`);
      resolve({ kind: 'timeout', error });
      abort.abort(error);
    });
    const result = await Promise.race([ending, deadline]);
    cancel();
    return result;
  }

  #abortInFlight(): void {
    if (this.#inFlight.size === 0) return;
    this.#logger.warn({ inFlight: this.#inFlight.size }, 'aborting the reconciles in flight');
    for (const abort of this.#inFlight) abort.abort(new Error(`controller ${this.name} is stopping`));
  }
}
