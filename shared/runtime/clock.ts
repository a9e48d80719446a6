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

/** Timers of the platform count in 31 bits, and fire at once for more; a longer wait is waited for in parts. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = systemClock.after(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after(ms, callback) {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const partMs = Math.min(leftMs, longestTimerMs);
      timer = setTimeout(() => (leftMs > partMs ? wait(leftMs - partMs) : callback()), partMs);
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};
