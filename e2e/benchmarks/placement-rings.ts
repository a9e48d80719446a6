import { type LevelMove, level, type ObjectTable } from '@controller-sharding/sharder/placement/level.ts';
import {
  type Hasher,
  placeByHash,
  type WeightedShard,
} from '@controller-sharding/sharder/placement/rendezvous.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';

/** Objects by the numbers of their keys, and who has each. */
export interface Ring {
  shards: readonly WeightedShard[];
  keys: readonly string[];
  /** For each key the name of its shard. */
  owners: string[];
}

export const equalShards = (names: readonly string[]): WeightedShard[] =>
  names.map((name) => ({ name, weight: 1 }));

/** Every object where the hash alone puts it, as at its creation. */
export async function placed(
  hasher: Hasher,
  keys: readonly string[],
  shards: readonly WeightedShard[],
): Promise<Ring> {
  const slice = new Slice(systemClock);
  const owners: string[] = [];
  for (const [index, key] of keys.entries()) {
    owners.push(placeByHash(hasher, key, shards) ?? '');
    if (index % 256 === 0) await slice.maybeYield();
  }
  return { shards, keys, owners };
}

/** A shard that joins: the ring is levelled. */
export async function joined(hasher: Hasher, ring: Ring, shard: WeightedShard): Promise<Ring> {
  return levelled(hasher, { ...ring, shards: [...ring.shards, shard] });
}

/** A shard that leaves: its objects are placed by hash on the others, and the ring is levelled if it has to be. */
export async function left(hasher: Hasher, ring: Ring, name: string): Promise<Ring> {
  const shards = ring.shards.filter((shard) => shard.name !== name);
  const slice = new Slice(systemClock);
  const owners: string[] = [];
  for (const [index, owner] of ring.owners.entries()) {
    owners.push(owner === name ? (placeByHash(hasher, ring.keys[index] ?? '', shards) ?? '') : owner);
    if (index % 256 === 0) await slice.maybeYield();
  }
  return levelled(hasher, { shards, keys: ring.keys, owners });
}

export async function levelled(hasher: Hasher, ring: Ring): Promise<Ring> {
  const owners = ring.owners.slice();
  for (const { index, to } of await levelMoves(hasher, ring)) owners[index] = to;
  return { ...ring, owners };
}

export async function levelMoves(hasher: Hasher, { shards, keys, owners }: Ring): Promise<LevelMove[]> {
  const slice = new Slice(systemClock);
  const objects: ObjectTable = {
    high: new Int32Array(keys.length),
    low: new Int32Array(keys.length),
    shard: new Int32Array(keys.length),
  };
  const indexOf = new Map(shards.map(({ name }, index) => [name, index]));
  for (const [index, key] of keys.entries()) {
    const { high, low } = hasher.hash(key);
    objects.high[index] = high;
    objects.low[index] = low;
    objects.shard[index] = indexOf.get(owners[index] ?? '') ?? -1;
    if (index % 256 === 0) await slice.maybeYield();
  }
  return level({ hasher, shards: withLoads({ shards, keys, owners }), objects }, slice);
}

export function withLoads({ shards, owners }: Ring): Array<WeightedShard & { load: number }> {
  const loads = new Map<string, number>();
  for (const owner of owners) loads.set(owner, (loads.get(owner) ?? 0) + 1);
  return shards.map((shard) => ({ ...shard, load: loads.get(shard.name) ?? 0 }));
}

export const moved = (before: Ring, after: Ring): number =>
  after.owners.filter((owner, index) => owner !== before.owners[index]).length;

/** Greatest load over the mean, and the loads' standard deviation as a part of the mean. */
export function balance(ring: Ring): { maxToMean: number; deviation: number } {
  const loads = withLoads(ring).map(({ load }) => load);
  const mean = ring.keys.length / loads.length;
  const variance = loads.reduce((sum, load) => sum + (load - mean) ** 2, 0) / loads.length;
  return { maxToMean: Math.max(...loads) / mean, deviation: Math.sqrt(variance) / mean };
}
