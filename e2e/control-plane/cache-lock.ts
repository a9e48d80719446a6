import { join } from 'node:path';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { lock } from 'proper-lockfile';

const STALE_MS = 20_000;
const UPDATE_MS = 5_000;
const RETRY_MS = 250;

export interface LockOptions {
  /** Called once, when another holder has to be waited for. */
  onWait: () => void;
  signal: AbortSignal | undefined;
}

/** Runs `work` while no other process does so for the same folder. A holder that was killed counts for 20 s. */
export async function withFolderLock<T>(
  folder: string,
  { onWait, signal }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const release = await acquire(folder, onWait, signal);
  try {
    return await work();
  } finally {
    // It is no error when the lock was lost meanwhile: see `onCompromised`.
    await release().catch(() => {});
  }
}

async function acquire(
  folder: string,
  onWait: () => void,
  signal: AbortSignal | undefined,
): Promise<() => Promise<void>> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await lock(folder, {
        lockfilePath: join(folder, 'lock'),
        stale: STALE_MS,
        update: UPDATE_MS,
        // After a suspended machine another process may have begun the same work. That is only wasteful: whatever is
        // finished is put in its place in one step.
        onCompromised: () => {},
      });
    } catch (error) {
      if (!isHeld(error)) throw error;
    }
    if (attempt === 1) onWait();
    await systemClock.sleep(RETRY_MS, signal);
  }
}

const isHeld = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ELOCKED';
