import type { WeightedShard } from './rendezvous.ts';

/** A shard that can be given objects, and how many it has. */
export interface LoadedShard extends WeightedShard {
  load: number;
  /** How many of them can't be moved away: pinned to it, or on their way to it. Default 0. */
  fixed?: number | undefined;
}

/**
 * A shard's exact share of all objects that the shards hold, in proportion to its weight. A shard whose fixed objects
 * are more than that keeps them, and the others share the rest.
 */
function exactShares(shards: readonly LoadedShard[]): number[] {
  const shares = shards.map(({ fixed = 0 }) => fixed);
  let total = shards.reduce((sum, { load }) => sum + load, 0);
  let weights = shards.reduce((sum, { weight }) => sum + weight, 0);
  // Those first that have the most fixed objects for their weight: whoever comes after one that fits, fits.
  const order = shards
    .map(({ weight, fixed = 0 }, index) => ({ index, weight, fixed }))
    .filter(({ weight, fixed }) => weight > 0 || fixed > 0)
    .toSorted((a, b) => b.fixed * a.weight - a.fixed * b.weight);
  for (const { index, weight, fixed } of order) {
    const share = weights > 0 ? (total * weight) / weights : 0;
    if (fixed > share) {
      total -= fixed;
      weights -= weight;
    } else {
      shares[index] = share;
    }
  }
  return shares;
}

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
    .filter(({ weight, remainder }) => weight > 0 && remainder > 0)
    .toSorted((a, b) => b.remainder - a.remainder || b.load - a.load || (a.name < b.name ? -1 : 1));
  for (const { index } of byRemainder.slice(0, rest)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}
