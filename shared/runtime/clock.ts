import { setTimeout as setTimeoutPromise } from 'node:timers/promises';

/**
 * Time as the rest of the code sees it. Everything that waits or measures takes a Clock, so that the same code
 * runs on the machine's time and, in tests and simulations, on virtual time.
 */
export interface Clock {
  /** Milliseconds on a clock that never jumps; only differences have a meaning. */
  monotonic(): number;
  /** The date and time of day, for people and for the API's timestamps. Never compared with another machine's. */
  now(): Date;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `ms` milliseconds, unless the returned function was called before. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  now: () => new Date(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await setTimeoutPromise(ms, undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted(); // the reason itself, not Node's AbortError around it
      throw error;
    }
  },
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
