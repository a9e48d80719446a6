import type { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { type Hash64, type Hasher, uniform } from './rendezvous.ts';
import { type LoadedShard, wholeShares, withinBand } from './shares.ts';

/** Objects in a form of twelve bytes each, so that a hundred thousand of them are no burden. */
export interface ObjectTable {
  /** Hashes of the objects' keys. */
  high: Int32Array;
  low: Int32Array;
  /** For each object the index of its shard in `shards`; -1: this object doesn't move. */
  shard: Int32Array;
}

export interface LevelInput {
  hasher: Hasher;
  /** The usable shards, each name once, with the load of all their objects. */
  shards: readonly LoadedShard[];
  /** Objects that can be moved. */
  objects: ObjectTable;
}

export interface LevelMove {
  /** The object's place in the table. */
  index: number;
  /** Name of its new shard. */
  to: string;
}

/** Objects that are looked at between two looks at the clock. */
const STEP = 2_048;
/** Objects are sorted in parts, so that no sort takes long. */
const BUCKETS = 1_024;

/**
 * The moves that bring a ring back to its shares, if a shard's load left the band around its share; else none. As few
 * as possible: only what a shard has above its share moves (less if that can't be moved). Each receiver, in the order
 * of their names, takes those objects that rendezvous hashing would give it first. Depends neither on the order of the
 * objects nor on that of the shards; a ring that was levelled stays as it is.
 */
export async function level({ hasher, shards, objects }: LevelInput, slice: Slice): Promise<LevelMove[]> {
  if (withinBand(shards)) return [];
  const shares = wholeShares(shards);
  const surplus = shards.map(({ load }, shard) => Math.max(0, load - (shares[shard] ?? 0)));
  const receivers = shards
    .map(({ name, load }, shard) => ({ name, missing: (shares[shard] ?? 0) - load }))
    .filter(({ missing }) => missing > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

  const moves: LevelMove[] = [];
  const from = objects.shard.slice();
  const above = (index: number): number => surplus[from[index] ?? -1] ?? 0;
  for (const { name, missing } of receivers) {
    const end = moves.length + missing;
    for await (const part of inOrderFor(
      hasher.shardHash(name),
      objects,
      (index) => above(index) > 0,
      slice,
    )) {
      for (const index of part) {
        const left = above(index);
        if (left === 0 || moves.length === end) continue;
        surplus[from[index] ?? -1] = left - 1;
        from[index] = -1;
        moves.push({ index, to: name });
      }
      if (moves.length === end) break;
    }
  }
  return moves;
}

/** The objects that `movable` lets through, in parts, those first that the shard would be given first. */
async function* inOrderFor(
  shard: Hash64,
  { high, low }: ObjectTable,
  movable: (index: number) => boolean,
  slice: Slice,
): AsyncGenerator<Int32Array> {
  const scores = new Float64Array(high.length);
  const ends = new Int32Array(BUCKETS);
  for (let index = 0; index < high.length; index += 1) {
    if (index % STEP === 0) await slice.maybeYield();
    if (!movable(index)) continue;
    const score = uniform(high[index] ?? 0, low[index] ?? 0, shard);
    scores[index] = score;
    const bucket = bucketOf(score);
    ends[bucket] = (ends[bucket] ?? 0) + 1;
  }
  for (let bucket = 1; bucket < BUCKETS; bucket += 1) {
    ends[bucket] = (ends[bucket] ?? 0) + (ends[bucket - 1] ?? 0);
  }

  const order = new Int32Array(ends[BUCKETS - 1] ?? 0);
  const next = ends.slice();
  for (let index = high.length - 1; index >= 0; index -= 1) {
    if (index % STEP === 0) await slice.maybeYield();
    const score = scores[index] ?? 0;
    if (score === 0) continue;
    const bucket = bucketOf(score);
    const place = (next[bucket] ?? 0) - 1;
    next[bucket] = place;
    order[place] = index;
  }

  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const part = order.subarray(ends[bucket - 1] ?? 0, ends[bucket]);
    if (part.length === 0) continue;
    await slice.maybeYield();
    yield part.toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  }
}

/** The greater the score, the earlier its bucket. */
const bucketOf = (score: number): number => BUCKETS - 1 - Math.floor(score * BUCKETS);
