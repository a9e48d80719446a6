import type { Clock } from '../runtime/clock.ts';

/** A signal that is aborted when the caller aborts, or with `error()` when `heard` was not called for `limitMs`. */
export class SilenceTimer {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #error: () => Error;
  readonly #caller: AbortSignal;
  #lastHeard: number;
  #cancel: () => void;

  constructor(clock: Clock, limitMs: number, caller: AbortSignal, error: () => Error) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#error = error;
    this.#caller = caller;
    this.#lastHeard = clock.monotonic();
    this.#cancel = clock.after(limitMs, this.#check);
    caller.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (caller.aborted) this.#onCallerAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Cheap enough for every event: the timer itself is only set again when it fires. */
  heard(): void {
    this.#lastHeard = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel();
    this.#caller.removeEventListener('abort', this.#onCallerAbort);
  }

  readonly #check = (): void => {
    const leftMs = this.#lastHeard + this.#limitMs - this.#clock.monotonic();
    if (leftMs > 0) this.#cancel = this.#clock.after(leftMs, this.#check);
    else this.#controller.abort(this.#error());
  };

  readonly #onCallerAbort = (): void => this.#controller.abort(this.#caller.reason);
}
