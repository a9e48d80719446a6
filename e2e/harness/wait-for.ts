import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';

export interface WaitOptions {
  /** Default 30,000: a machine that others use, too, may be slow. */
  timeoutMs?: number | undefined;
  /** Between two looks; default 50. */
  everyMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Looks until `look` returns something other than undefined or false, and returns that. Throws an error that names
 * `what` when the time is over, the signal's reason when it is aborted, and whatever `look` throws.
 */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 30_000, everyMs = 50, signal }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= deadline) throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}`);
    await systemClock.sleep(everyMs, signal);
  }
}
