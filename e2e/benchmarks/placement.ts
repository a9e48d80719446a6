import type { Benchmark } from './benchmark.ts';
import { measure } from './measure.ts';
import type { PlacementInput, PlacementResult } from './placement-side.ts';

/** The pure functions that give objects to shards. */
export const placement: Benchmark = {
  name: 'placement',
  purpose: 'placing keys on shards: time, balance, moves when a shard joins or leaves',
  objects: 100_000,
  bounds: [
    { figure: 'placed on 50 shards', atMost: 1_000 },
    { figure: 'longest stall', atMost: 20 },
    { figure: '20 shards: max/mean', atMost: 1.05 },
    { figure: 'ordinal names: unevenness', atMost: 1.1 },
    { figure: 'any weights: levelled rings within the band', atLeast: 1 },
    { figure: '10 to 11 shards: moves', atMost: 1.02 },
    { figure: '10 to 9 shards: moves', atMost: 1.02 },
  ],
  async run({ objects, signal, progress }) {
    progress(`${objects} keys`);
    const side = new URL('./placement-side.ts', import.meta.url);
    const input: PlacementInput = { keys: objects };
    const { result, stallMs, wallStallMs, idleWallStallMs } = await measure<PlacementResult>(
      side,
      input,
      signal,
    );
    return {
      'placed on 50 shards': { value: result.placeMs, unit: 'ms' },
      'longest stall': { value: stallMs, unit: 'ms' },
      'longest stall on the clock': { value: wallStallMs, unit: 'ms' },
      'idle process meanwhile': { value: idleWallStallMs, unit: 'ms' },
      '20 shards: max/mean': { value: result.maxToMean, unit: '×' },
      'ordinal names: unevenness': { value: result.ordinalToRandom, unit: '× random names' },
      'any weights: levelled rings within the band': { value: result.levelledPart, unit: '× all' },
      '10 to 11 shards: moves': { value: result.join, unit: '× the fewest' },
      '10 to 9 shards: moves': { value: result.leave, unit: '× the fewest' },
    };
  },
};
