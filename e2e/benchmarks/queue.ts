import type { Benchmark, BenchmarkContext } from './benchmark.ts';
import { type Measured, measure } from './measure.ts';
import type { DelaysResult, QueueInput, RateResult } from './queue-side.ts';

/** A controller's queue, with its metrics, limits and priorities. */
export const queue: Benchmark = {
  name: 'queue',
  purpose: "a controller's queue: add/get/done per second, and the memory and timers of delayed keys",
  objects: 100_000,
  bounds: [
    { figure: 'add/get/done', atLeast: 500_000 },
    { figure: 'add/get/done: longest stall', atMost: 20 },
    { figure: 'delays: timers', atMost: 1 },
    { figure: 'delays: heap per key', atMost: 200 },
    { figure: 'delays: heap per key afterwards', atMost: 10 },
    { figure: 'delays: longest stall', atMost: 20 },
  ],
  async run(context) {
    const rate = await side<RateResult>('rate', context);
    const delays = await side<DelaysResult>('delays', context);
    return {
      // By the CPU time of the thread, garbage collection included: what else the machine does is not the queue's.
      'add/get/done': { value: rate.result.perCpuSecond, unit: 'per s' },
      'add/get/done on the clock': { value: rate.result.perSecond, unit: 'per s' },
      ...stalls('add/get/done', rate),
      'delays: timers': { value: delays.result.timers, unit: '' },
      'delays: heap per key': { value: delays.result.heapBytes / context.objects, unit: 'bytes' },
      'delays: heap per key afterwards': {
        value: delays.result.heapLeftBytes / context.objects,
        unit: 'bytes',
      },
      ...stalls('delays', delays),
    };
  },
};

function side<Result>(
  part: QueueInput['part'],
  { objects, signal, progress }: BenchmarkContext,
): Promise<Measured<Result>> {
  progress(`${objects} keys, ${part}`);
  const program = new URL('./queue-side.ts', import.meta.url);
  return measure<Result>(program, { part, keys: objects } satisfies QueueInput, signal);
}

const stalls = (name: string, { stallMs, wallStallMs, idleWallStallMs }: Measured<unknown>) => ({
  [`${name}: longest stall`]: { value: stallMs, unit: 'ms' },
  [`${name}: longest stall on the clock`]: { value: wallStallMs, unit: 'ms' },
  [`${name}: idle process meanwhile`]: { value: idleWallStallMs, unit: 'ms' },
});
