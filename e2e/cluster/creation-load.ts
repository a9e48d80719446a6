import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import type { RingView } from './ring-view.ts';

const PER_SECOND = 20;

export interface LoadResult {
  created: number;
  /** Creations that the API server refused, or that failed. */
  failures: string[];
  /** Of those created: the answer had no label yet, and the sharder's watch did the work. */
  unlabelled: number;
  longestMs: number;
}

/** Creates Secrets, at most 20 a second, one after the other, while `work` is under way. */
export async function createDuring(
  view: RingView,
  work: () => Promise<void>,
  prefix = 'load-',
): Promise<LoadResult> {
  const end = new AbortController();
  const result: LoadResult = { created: 0, failures: [], unlabelled: 0, longestMs: 0 };
  const creating = (async () => {
    for (let count = 0; !end.signal.aborted; count += 1) {
      const began = performance.now();
      try {
        const shard = await view.create(`${prefix}${count}`);
        result.created += 1;
        if (shard === undefined) result.unlabelled += 1;
      } catch (error) {
        result.failures.push(String(error));
      }
      const tookMs = performance.now() - began;
      result.longestMs = Math.max(result.longestMs, Math.round(tookMs));
      await systemClock.sleep(Math.max(0, 1_000 / PER_SECOND - tookMs), end.signal).catch(() => undefined);
    }
  })();
  try {
    await work();
  } finally {
    end.abort();
    await creating;
  }
  return result;
}
