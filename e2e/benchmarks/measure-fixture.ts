/** For the tests of `measure`: a side that does as it is told. */

import { runSide } from './side.ts';
import { heapUsedBytes } from './usage-meter.ts';

export interface FixtureInput {
  does: 'work' | 'throw' | 'die' | 'nothing';
}

runSide(async ({ does }: FixtureInput, measure) => {
  if (does === 'nothing') return {};
  const before = heapUsedBytes();
  const kept = await measure(async () => {
    if (does === 'throw') throw new Error('as planned');
    if (does === 'die') process.exit(7);
    Buffer.alloc(50_000_000, 1).fill(2);
    return Array.from({ length: 1_000_000 }, (_, index) => index + 0.5);
  });
  return { length: kept.length, heapBytes: heapUsedBytes() - before };
});
