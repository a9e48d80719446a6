import type { Clock } from '../runtime/clock.ts';

const defaultTimeoutMs = 120_000;

/** The caches didn't sync in time. */
export class SyncTimeoutError extends Error {
  override readonly name = 'SyncTimeoutError';
  readonly code = 'SYNC_TIMEOUT';
}

export interface Syncing {
  clock: Clock;
  /** Default 120,000. */
  timeoutMs?: number | undefined;
  /** Rejects with the signal's reason when it is aborted first. */
  wait(signal: AbortSignal): Promise<unknown>;
  /** Names of what is still waited for. */
  unsynced(): readonly string[];
}

/** Throws SyncTimeoutError, which names what is missing, when it takes too long. */
export async function syncInTime(
  { clock, timeoutMs = defaultTimeoutMs, wait, unsynced }: Syncing,
  signal: AbortSignal,
): Promise<void> {
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => {
    const what = `not synced within ${timeoutMs / 1000} s: ${unsynced().join(', ')}`;
    late.abort(
      new SyncTimeoutError(`${what}. Does the API server serve it, and allow to list and watch it?`),
    );
  });
  try {
    await wait(AbortSignal.any([signal, late.signal]));
  } finally {
    cancel();
  }
}
