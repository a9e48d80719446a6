import type { WeightedShard } from './rendezvous.ts';

/** A shard that can be given objects, and how many it has, those that can't be moved included. */
export interface LoadedShard extends WeightedShard {
  load: number;
}

/** A shard's exact share of all objects that the shards hold, in proportion to its weight. */
const exactShares = (shards: readonly LoadedShard[]): number[] => {
  const total = shards.reduce((sum, { load }) => sum + load, 0);
  const weights = shards.reduce((sum, { weight }) => sum + weight, 0);
  return shards.map(({ weight }) => (weights > 0 ? (total * weight) / weights : 0));
};

/**
 * Whether every shard's load is within ±10 % of its share, or ±√share for small loads; one object more or less than
 * the share is always within.
 */
export function withinBand(shards: readonly LoadedShard[]): boolean {
  const shares = exactShares(shards);
  return shards.every(({ load }, index) => {
    const share = shares[index] ?? 0;
    return Math.abs(load - share) <= Math.max(share / 10, Math.sqrt(share), 1);
  });
}

/**
 * The number of objects that each shard should hold, in the order of the input: whole numbers that sum to the load of
 * all (largest remainder). Of equal remainders, the shard that holds more is given the object, since it then need not
 * move; then the first by name. All 0 when no shard has a weight.
 */
export function wholeShares(shards: readonly LoadedShard[]): number[] {
  const exact = exactShares(shards);
  const whole = exact.map(Math.floor);
  const total = shards.reduce((sum, { load }) => sum + load, 0);
  const rest = total - whole.reduce((sum, share) => sum + share, 0);
  const byRemainder = shards
    .map(({ name, load, weight }, index) => ({
      index,
      name,
      load,
      weight,
      remainder: (exact[index] ?? 0) - (whole[index] ?? 0),
    }))
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.remainder - a.remainder || b.load - a.load || (a.name < b.name ? -1 : 1));
  for (const { index } of byRemainder.slice(0, rest)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}
