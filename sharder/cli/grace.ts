import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';

/** What was under way did not end in time after the stop. */
export class NotStoppedError extends Error {
  override readonly name = 'NotStoppedError';
  readonly code = 'NOT_STOPPED';
}

/** As `work`, but rejects with NotStoppedError when it hasn't ended `graceMs` after the abort; Infinity: no limit. */
export async function withGrace(
  work: Promise<void>,
  graceMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (graceMs === Infinity) return work;
  const late = Promise.withResolvers<never>();
  let cancel = (): void => undefined;
  const stop = (): void => {
    cancel = clock.after(graceMs, () =>
      late.reject(new NotStoppedError(`work under way did not end within ${graceMs / 1_000} s of the stop`)),
    );
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    cancel();
  }
}
