import { type LoadedShard, wholeShares, withinBand } from '@controller-sharding/sharder/placement/shares.ts';

/**
 * How many objects levelling may move between the shards that take any object: those above the shares (design §4), and
 * none while the ring is level.
 */
export function movesToLevel(shards: readonly LoadedShard[]): number {
  if (isSurelyLevel(shards)) return 0;
  const shares = wholeShares(shards);
  return shards.reduce((moves, { load }, index) => moves + Math.max(0, load - (shares[index] ?? 0)), 0);
}

/** The sharder may have counted an object more or less than the observer at the moment it decided. */
const isSurelyLevel = (shards: readonly LoadedShard[]): boolean =>
  shards.every((_, at) =>
    [-1, 1].every((more) =>
      withinBand(
        shards.map((shard, index) => (index === at ? { ...shard, load: shard.load + more } : shard)),
      ),
    ),
  );
