import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import type { WebsiteView } from './website-view.ts';

export interface LoadOptions {
  websites: number;
  perSecond: number;
}

/** While `work` is under way, gives one Website after the other another look; resolves to how often, and what failed. */
export async function changeDuring(
  view: WebsiteView,
  { websites, perSecond }: LoadOptions,
  work: () => Promise<void>,
): Promise<{ changes: number; failures: string[]; perSecond: number }> {
  const began = performance.now();
  const failures: string[] = [];
  let changes = 0;
  await during(work, async (signal) => {
    for (let round = 0; !signal.aborted; round += 1) {
      for (let number = 0; number < websites && !signal.aborted; number += 1) {
        const due = began + (changes / perSecond) * 1_000;
        await systemClock.sleep(Math.max(0, due - performance.now()), signal).catch(() => undefined);
        await view
          .change(number, round % 2 === 0 ? 'loud' : 'plain')
          .catch((error: unknown) => failures.push(String(error)));
        changes += 1;
      }
    }
  });
  return { changes, failures, perSecond: Math.round((changes / (performance.now() - began)) * 1_000) };
}

/** While `work` is under way, looks for Websites without a shard, four times a second. */
export async function lookDuring(
  view: WebsiteView,
  work: () => Promise<void>,
): Promise<{ looks: number; found: string[] }> {
  const found = new Set<string>();
  let looks = 0;
  await during(work, async (signal) => {
    while (!signal.aborted) {
      for (const name of await view.withoutShard()) found.add(name);
      looks += 1;
      await systemClock.sleep(250, signal).catch(() => undefined);
    }
  });
  return { looks, found: [...found] };
}

async function during(
  work: () => Promise<void>,
  beside: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const going = beside(end.signal);
  going.catch(() => {}); // told at the end
  try {
    await work();
  } finally {
    end.abort();
    await going;
  }
}
