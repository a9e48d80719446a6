import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createHasher, mainObjectKey, placeByHash, uniform, type WeightedShard } from './rendezvous.ts';

const hasher = await createHasher();
const shardsOf = (...weights: number[]): WeightedShard[] =>
  weights.map((weight, index) => ({ name: `shard-${index}`, weight }));
const keys = Array.from({ length: 20_000 }, (_, index) =>
  mainObjectKey('', 'Secret', `ns-${index % 7}`, `s-${index}`),
);

function countsOf(shards: WeightedShard[]): number[] {
  const counts = new Map<string | undefined, number>();
  for (const key of keys) {
    const shard = placeByHash(hasher, key, shards);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }
  return shards.map(({ name }) => counts.get(name) ?? 0);
}

const aShard = fc.record({
  name: fc.string({ minLength: 1, maxLength: 8 }),
  weight: fc.double({ min: 0.1, max: 100, noNaN: true }),
});
const someShards = fc.uniqueArray(aShard, { selector: ({ name }) => name, minLength: 1, maxLength: 12 });

test('the key of a cluster-scoped object has an empty namespace', () => {
  assert.equal(mainObjectKey('apps', 'Deployment', 'default', 'web'), 'apps/Deployment/default/web');
  assert.equal(mainObjectKey('', 'Namespace', undefined, 'default'), '/Namespace//default');
});

test('without a shard, or with weights of 0 alone, a key has no shard', () => {
  assert.equal(placeByHash(hasher, 'key', []), undefined);
  assert.equal(placeByHash(hasher, 'key', shardsOf(0, 0)), undefined);
});

test('the placement of a key never changes between releases', () => {
  const placed = keys.slice(0, 12).map((key) => placeByHash(hasher, key, shardsOf(1, 2, 1, 1.5))?.at(-1));
  assert.equal(placed.join(''), '303131112123');
});

test('keys spread evenly over shards of one weight', () => {
  const counts = countsOf(shardsOf(...Array.from({ length: 10 }, () => 1)));
  const chiSquare = counts.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0);
  assert.ok(chiSquare < 27.9, `chi-square ${chiSquare} of ${counts.join(' ')}`); // p = 0.001 for 9 degrees
});

test('keys spread in proportion to the weights', () => {
  const counts = countsOf(shardsOf(1, 2, 3, 4, 0));
  for (const [index, share] of [2_000, 4_000, 6_000, 8_000, 0].entries()) {
    assert.ok(Math.abs((counts[index] ?? 0) - share) <= 4 * Math.sqrt(share), counts.join(' '));
  }
});

test('a shard that leaves gives its keys to all others alike, and no other key moves', () => {
  const shards = shardsOf(1, 1, 1, 1, 1);
  const gained = new Map<string | undefined, number>();
  for (const key of keys) {
    const before = placeByHash(hasher, key, shards);
    const after = placeByHash(hasher, key, shards.slice(1));
    if (before === 'shard-0') gained.set(after, (gained.get(after) ?? 0) + 1);
    else assert.equal(after, before);
  }
  assert.equal(gained.size, 4);
  for (const count of gained.values()) assert.ok(Math.abs(count - 1_000) < 130, `${count}`);
});

test('the order of the shards does not matter', () => {
  const shuffled = someShards.chain((shards) =>
    fc.tuple(fc.constant(shards), fc.shuffledSubarray(shards, { minLength: shards.length })),
  );
  fc.assert(
    fc.property(fc.string(), shuffled, (key, [shards, other]) => {
      assert.equal(placeByHash(hasher, key, shards), placeByHash(hasher, key, other));
    }),
  );
});

test('a greater weight of one shard only draws keys to it', () => {
  fc.assert(
    fc.property(
      fc.string(),
      someShards,
      fc.double({ min: 1, max: 50, noNaN: true }),
      (key, shards, factor) => {
        const [first, ...others] = shards;
        assert.ok(first);
        const heavier = { ...first, weight: first.weight * factor };
        const before = placeByHash(hasher, key, shards);
        const after = placeByHash(hasher, key, [heavier, ...others]);
        assert.ok(after === before || after === first.name);
      },
    ),
  );
});

test('u lies strictly between 0 and 1 for any hash', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(word, word, word, word, (keyHigh, keyLow, high, low) => {
      const u = uniform(keyHigh, keyLow, { high, low });
      assert.ok(u > 0 && u < 1);
    }),
  );
});

test('a single differing bit of the hash turns each bit of u with probability 1/2', () => {
  const shard = hasher.shardHash('shard');
  const bits = 26;
  for (let bit = 0; bit < 64; bit += 1) {
    const turned = Array.from({ length: bits }, () => 0);
    for (const key of keys.slice(0, 2_000)) {
      const { high, low } = hasher.hash(key);
      const flipped =
        bit < 32 ? uniform(high, low ^ (1 << bit), shard) : uniform(high ^ (1 << (bit - 32)), low, shard);
      const difference = Math.floor(uniform(high, low, shard) * 2 ** bits) ^ Math.floor(flipped * 2 ** bits);
      for (let at = 0; at < bits; at += 1) turned[at] = (turned[at] ?? 0) + ((difference >>> at) & 1);
    }
    for (const count of turned) assert.ok(Math.abs(count - 1_000) < 120, `bit ${bit}: ${count} of 2000`);
  }
});

test('a key and a shard of the same name are told apart', () => {
  assert.notDeepEqual(hasher.hash('a'), hasher.shardHash('a'));
});
