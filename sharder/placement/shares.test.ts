import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type LoadedShard, wholeShares, withinBand } from './shares.ts';

const shardsOf = (...loads: number[]): LoadedShard[] =>
  loads.map((load, index) => ({ name: `shard-${index}`, weight: 1, load }));

const bands: [what: string, loads: number[], within: boolean][] = [
  ['no shard', [], true],
  ['no object', [0, 0, 0], true],
  ['the shares', [100, 100, 100], true],
  ['10 % above and below', [1_100, 1_000, 900], true],
  ['more than 10 % above', [1_101, 1_000, 899], false],
  ['√25 above and below', [30, 25, 20], true],
  ['more than √25 below', [28, 28, 19], false],
  ['a new shard without an object', [10, 10, 0], false],
  ['fewer objects than shards', [1, 1, 0, 0], true],
  ['one object more than a share below one', [2, 0, 0, 0, 0], false],
];

for (const [what, loads, within] of bands) {
  test(`${what}: ${within ? 'within' : 'outside'} the band`, () => {
    assert.equal(withinBand(shardsOf(...loads)), within);
  });
}

test('shares follow the weights, the rest goes to the largest remainders', () => {
  const shards = [1, 2, 4].map((weight, index) => ({
    name: `s${index}`,
    weight,
    load: index === 0 ? 10 : 0,
  }));
  assert.deepEqual(wholeShares(shards), [1, 3, 6]); // 1.43, 2.86, 5.71
});

test('of equal remainders the shard that holds more keeps its object, then the first by name counts', () => {
  assert.deepEqual(wholeShares(shardsOf(33, 33, 34)), [33, 33, 34]);
  assert.deepEqual(wholeShares(shardsOf(0, 0, 1).toReversed()), [1, 0, 0]);
  assert.deepEqual(
    wholeShares([
      { name: 'b', weight: 1, load: 0 },
      { name: 'c', weight: 0, load: 1 },
      { name: 'a', weight: 1, load: 0 },
    ]),
    [0, 0, 1],
  );
});

const someShards = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 6 }),
    weight: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
    load: fc.nat(5_000),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 20 },
);

test('shares sum to the load, each within one object of the exact share, whatever the order', () => {
  fc.assert(
    fc.property(someShards, (shards) => {
      const shares = wholeShares(shards);
      const total = shards.reduce((sum, { load }) => sum + load, 0);
      const weights = shards.reduce((sum, { weight }) => sum + weight, 0);
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        total,
      );
      for (const [index, { weight }] of shards.entries()) {
        assert.ok(Math.abs((shares[index] ?? 0) - (total * weight) / weights) < 1 + 1e-9);
      }
      assert.deepEqual(wholeShares(shards.toReversed()).toReversed(), shares);
    }),
  );
});

test('a shard keeps what is pinned to it, and the others share the rest', () => {
  const [first = assert.fail(), ...others] = shardsOf(60, 30, 0);
  assert.deepEqual(wholeShares([{ ...first, fixed: 60 }, ...others]), [60, 15, 15]);
  assert.deepEqual(wholeShares([{ ...first, fixed: 20 }, ...others]), [30, 30, 30]);
  assert.deepEqual(wholeShares([{ ...first, weight: 0, fixed: 5 }, ...others]), [5, 43, 42]);
});

test('no share is below what is pinned, and the free weights are served alike', () => {
  const pinned = someShards.chain((shards) =>
    fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: shards.length,
        maxLength: shards.length,
      })
      .map((parts) =>
        shards.map((shard, index) => ({ ...shard, fixed: Math.floor(shard.load * (parts[index] ?? 0)) })),
      ),
  );
  fc.assert(
    fc.property(pinned, (shards) => {
      const shares = wholeShares(shards);
      const total = shards.reduce((sum, { load }) => sum + load, 0);
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        total,
      );
      // Per weight, a shard that has more than another one has it only because that much is pinned.
      const level = Math.min(...shards.map(({ weight }, index) => ((shares[index] ?? 0) + 1) / weight));
      for (const [index, { fixed, weight }] of shards.entries()) {
        const share = shares[index] ?? 0;
        assert.ok(share >= fixed);
        assert.ok(share === fixed || (share - 1) / weight <= level + 1e-6);
      }
    }),
  );
});

test('a ring at its whole shares is within the band', () => {
  fc.assert(
    fc.property(someShards, (shards) => {
      const shares = wholeShares(shards);
      assert.ok(withinBand(shards.map((shard, index) => ({ ...shard, load: shares[index] ?? 0 }))));
    }),
  );
});
