import type { Clock } from '../runtime/clock.ts';
import { ApiError, TransportError } from './errors.ts';

/** The end of one request, by its time or by its caller, and which of the two it was. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #cancelTimer: () => void;
  readonly #server: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #endsAt: number;
  #sending = false;
  #expired = false;

  constructor(timeoutMs: number, caller: AbortSignal | undefined, clock: Clock, server: string) {
    this.#caller = caller;
    this.#server = server;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#endsAt = clock.monotonic() + timeoutMs;
    caller?.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (caller?.aborted) this.#onCallerAbort();
    this.#cancelTimer = clock.after(timeoutMs, () => this.#expire());
  }

  /** Aborted at the deadline, or when the caller aborts. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ms until the deadline, rounded down, but at least 1: what a server is told, and what a wait must be shorter than. */
  get leftMs(): number {
    return Math.max(1, Math.floor(this.#endsAt - this.#clock.monotonic()));
  }

  /**
   * From here on the API server may have seen the request. Throws when the time is over: in a process that stood still,
   * the timer that says so may be yet to come.
   */
  sending(): void {
    if (this.#clock.monotonic() >= this.#endsAt) this.#expire();
    this.signal.throwIfAborted();
    this.#sending = true;
  }

  /** As `promise`, but rejects as soon as the signal is aborted; what the promise does then is of no interest. */
  async race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const aborted = (): void => reject(signal.reason);
      signal.addEventListener('abort', aborted, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
    });
  }

  /** The error to throw for one that came out of the request; undefined when it was not the deadline's doing. */
  errorOf(error: unknown): unknown {
    if (error instanceof ApiError || error instanceof TransportError) return error;
    if (this.#expired) {
      const within = `the API server at ${this.#server} within ${this.#timeoutMs} ms`;
      const message = this.#sending
        ? `no answer from ${within}`
        : `nothing sent to ${within}: it waited for the rate limit, a free connection or credentials`;
      return new TransportError('KUBE_TIMEOUT', message, { nothingSent: !this.#sending });
    }
    return this.#caller?.aborted ? this.#caller.reason : undefined;
  }

  clear(): void {
    this.#cancelTimer();
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
  }

  #expire(): void {
    this.#expired = true;
    this.#controller.abort();
  }

  readonly #onCallerAbort = (): void => this.#controller.abort(this.#caller?.reason);
}
