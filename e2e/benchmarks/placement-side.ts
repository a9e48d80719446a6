/** The side of `placement`: the sharder's pure functions, on keys as operators have them. */
import {
  createHasher,
  mainObjectKey,
  placeByHash,
} from '@controller-sharding/sharder/placement/rendezvous.ts';
import { withinBand } from '@controller-sharding/sharder/placement/shares.ts';
import { balance, equalShards, joined, left, levelled, moved, placed, withLoads } from './placement-rings.ts';
import { runSide } from './side.ts';

export interface PlacementInput {
  keys: number;
}

export interface PlacementResult {
  placeMs: number;
  /** Of 20 ordinal names. */
  maxToMean: number;
  /** How unequal the loads of ordinal names are, in units of those of random names; the mean of many rings. */
  ordinalToRandom: number;
  /** Of rings with random weights, the part that is within the band after levelling. */
  levelledPart: number;
  /** Moves in units of the fewest that are possible. */
  join: number;
  leave: number;
}

const rings = 20;
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The same numbers in every run (mulberry32), so that a figure doesn't depend on luck. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ordinals = (base: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${base}-${index}`);

function podNames(base: string, count: number, random: () => number): string[] {
  const suffix = (length: number): string =>
    Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
  const replicaSet = suffix(10);
  return Array.from({ length: count }, () => `${base}-${replicaSet}-${suffix(5)}`);
}

runSide(async ({ keys: count }: PlacementInput, measure): Promise<PlacementResult> => {
  const hasher = await createHasher();
  const random = randomNumbers(1);
  const keys = Array.from({ length: count }, (_, index) =>
    mainObjectKey('webhosting.timebertt.dev', 'Website', `project-${index % 500}`, `website-${index}`),
  );
  const fifty = equalShards(ordinals('operator', 50));
  await placed(hasher, keys.slice(0, 5_000), fifty); // warm
  const placeMs = await measure(async () => {
    const startedAt = performance.now();
    await placed(hasher, keys, fifty);
    return performance.now() - startedAt;
  });

  const twenty = equalShards(ordinals('operator', 20));
  let ordinal = 0;
  let arbitrary = 0;
  for (let ring = 0; ring < rings; ring += 1) {
    const names = ordinals(`operator-${ring}`, 20);
    ordinal += balance(await placed(hasher, keys, equalShards(names))).deviation;
    const pods = podNames('operator', 20, random);
    arbitrary += balance(await placed(hasher, keys, equalShards(pods))).deviation;
  }

  let within = 0;
  for (let ring = 0; ring < rings; ring += 1) {
    const size = 1 + Math.floor(random() * 30);
    const shards = ordinals('operator', size).map((name) => ({
      name,
      weight: 0.01 + random() * 10 ** (ring % 4),
    }));
    // Worse than any hash: all of them on a few shards.
    const few = shards.slice(0, Math.ceil(size / 3));
    const owners = keys.map((key) => placeByHash(hasher, key, few) ?? '');
    if (withinBand(withLoads(await levelled(hasher, { shards, keys, owners })))) within += 1;
  }

  const ten = await placed(hasher, keys, equalShards(ordinals('operator', 10)));
  const eleven = await joined(hasher, ten, { name: 'operator-10', weight: 1 });
  const nine = await left(hasher, ten, 'operator-3');
  const held = ten.owners.filter((owner) => owner === 'operator-3').length;
  return {
    placeMs,
    maxToMean: balance(await placed(hasher, keys, twenty)).maxToMean,
    ordinalToRandom: ordinal / arbitrary,
    levelledPart: within / rings,
    join: moved(ten, eleven) / Math.floor(count / 11),
    leave: moved(ten, nine) / held,
  };
});
