/**
 * Design §4: a ring is level while each shard's load is within ±10 % of its share (or ±√share, for small loads). All shards
 * weigh the same here.
 */
export function isLevel(loads: readonly number[]): boolean {
  const share = shareOf(loads);
  return loads.every((load) => Math.abs(load - share) <= bandOf(share));
}

/** How many objects levelling may move: those above the shares, and none while the ring is level. */
export function movesToLevel(loads: readonly number[]): number {
  const share = shareOf(loads);
  // The sharder may have counted an object more or less than the observer at the moment it decided.
  if (loads.every((load) => Math.abs(load - share) <= bandOf(share) - 1)) return 0;
  return loads.reduce((moves, load) => moves + Math.max(0, Math.ceil(load - share)), 0);
}

const shareOf = (loads: readonly number[]): number =>
  loads.length === 0 ? 0 : loads.reduce((sum, load) => sum + load, 0) / loads.length;

const bandOf = (share: number): number => Math.max(share / 10, Math.sqrt(share));
