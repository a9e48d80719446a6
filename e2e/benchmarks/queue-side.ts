/** The sides of `queue`: the queue of a controller as it is in production, with its metrics and limits. */
import { Controller } from '@controller-sharding/shared/controller/controller.ts';
import { controllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import type { RateLimitingQueue } from '@controller-sharding/shared/queue/rate-limiting-queue.ts';
import { defaultPriority, lowPriority } from '@controller-sharding/shared/queue/work-queue.ts';
import { type Clock, systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { type Measure, runSide } from './side.ts';
import { heapUsedBytes } from './usage-meter.ts';

export interface QueueInput {
  part: 'rate' | 'delays';
  keys: number;
}

/** Of the median round. */
export interface RateResult {
  perCpuSecond: number;
  perSecond: number;
}

export interface DelaysResult {
  /** While all keys are delayed. */
  timers: number;
  heapBytes: number;
  /** After all keys have come and were worked on. */
  heapLeftBytes: number;
}

const rounds = 21;
/** Of the keys of a list, so many are changed before their turn has come. */
const freshEvery = 10;
const delaysMs = 3_600_000;
const distinctDelays = 500;

/** Keys between two looks at the clock. */
const batch = 64;

const never = new AbortController().signal;
const slice = new Slice(systemClock, 5);

function productionQueue(clock: Clock): { queue: RateLimitingQueue<string>; scrape(): Promise<string> } {
  const registry = createRegistry();
  const { queue } = new Controller<string>({
    name: 'bench',
    reconcile: async () => {},
    clock,
    logger: silentLogger,
    metrics: controllerMetrics(registry),
  });
  return { queue, scrape: () => registry.metrics() };
}

/** As a worker does whose reconciles succeed. */
async function drain(queue: RateLimitingQueue<string>): Promise<void> {
  while (queue.length > 0) {
    for (let count = Math.min(batch, queue.length); count > 0; count -= 1) {
      const key = await queue.get(never);
      if (key === undefined) return;
      queue.forget(key);
      queue.done(key);
    }
    await slice.maybeYield();
  }
}

async function rate(keys: readonly string[], measure: Measure): Promise<RateResult> {
  const { queue, scrape } = productionQueue(systemClock);
  const round = async (): Promise<void> => {
    for (const [index, key] of keys.entries()) {
      queue.add(key, lowPriority);
      if (index % batch === 0) await slice.maybeYield();
    }
    for (let index = 0; index < keys.length; index += freshEvery) {
      queue.add(keys[index] ?? '', defaultPriority);
      if (index % batch === 0) await slice.maybeYield();
    }
    await drain(queue);
    await scrape();
  };
  await round();
  const cpuMs: number[] = [];
  const wallMs: number[] = [];
  await measure(async () => {
    for (let count = 0; count < rounds; count += 1) {
      const startedAt = performance.now();
      const cpu = process.threadCpuUsage();
      await round();
      const { user, system } = process.threadCpuUsage(cpu);
      cpuMs.push((user + system) / 1_000);
      wallMs.push(performance.now() - startedAt);
    }
  });
  const rateAt = (ms: number[]): number =>
    (keys.length * 1_000) / (ms.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN);
  return { perCpuSecond: rateAt(cpuMs), perSecond: rateAt(wallMs) };
}

async function delays(keys: readonly string[], measure: Measure): Promise<DelaysResult> {
  const clock = new FakeClock();
  const { queue } = productionQueue(clock);
  let timers = 0;
  const delay = async (): Promise<void> => {
    for (const again of [3, 2, 1]) {
      for (const [index, key] of keys.entries()) {
        const part = ((index * 7_919) % distinctDelays) + 1;
        queue.addAfter(key, (again * delaysMs * part) / distinctDelays, lowPriority);
        timers = Math.max(timers, clock.pending);
        if (index % batch === 0) await slice.maybeYield();
      }
    }
  };
  const end = async (): Promise<void> => {
    if (queue.delayedLength !== keys.length) throw new Error('a key has not exactly one delay');
    await clock.advance(delaysMs);
    if (queue.length !== keys.length) throw new Error('not every key has come in time');
    await drain(queue);
  };
  await delay();
  await end();
  const heapBefore = heapUsedBytes();
  await measure(delay);
  const heapBytes = heapUsedBytes() - heapBefore;
  await end();
  return { timers, heapBytes, heapLeftBytes: heapUsedBytes() - heapBefore };
}

runSide(async ({ part, keys }: QueueInput, measure): Promise<RateResult | DelaysResult> => {
  const names = Array.from({ length: keys }, (_, index) => `namespace-${index % 100}/name-${index}`);
  return part === 'rate' ? rate(names, measure) : delays(names, measure);
});
