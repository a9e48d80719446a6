import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import * as fc from 'fast-check';
import { level } from './level.ts';
import { createHasher, placeByHash } from './rendezvous.ts';
import { type LoadedShard, wholeShares, withinBand } from './shares.ts';

const hasher = await createHasher();

/** Who holds what: the key of each object with the name of its shard, and the keys that can't be moved. */
interface Ring {
  weights: Map<string, number>;
  owner: Map<string, string>;
  fixed?: Set<string>;
}

function inputOf({ weights, owner, fixed }: Ring) {
  const names = [...weights.keys()];
  const shards: LoadedShard[] = names.map((name) => ({ name, weight: weights.get(name) ?? 0, load: 0 }));
  const keys = [...owner.keys()];
  const hashes = keys.map((key) => hasher.hash(key));
  const holders = keys.map((key) => names.indexOf(owner.get(key) ?? ''));
  for (const holder of holders) {
    const shard = shards[holder];
    if (shard) shard.load += 1;
  }
  const objects = {
    high: Int32Array.from(hashes, ({ high }) => high),
    low: Int32Array.from(hashes, ({ low }) => low),
    shard: Int32Array.from(holders, (holder, index) => (fixed?.has(keys[index] ?? '') ? -1 : holder)),
  };
  return { keys, hasher, shards, objects };
}

const levelled = async (ring: Ring): Promise<Map<string, string>> => {
  const { keys, ...input } = inputOf(ring);
  const moves = await level(input, new Slice(systemClock));
  return new Map(moves.map(({ index, to }) => [keys[index] ?? '', to]));
};

const apply = (ring: Ring, moves: Map<string, string>): Ring => ({
  ...ring,
  owner: new Map([...ring.owner, ...moves]),
});

const aRing = fc
  .record({
    weights: fc.array(fc.constantFrom(1, 1, 1, 2, 0.5), { minLength: 1, maxLength: 8 }),
    owners: fc.array(fc.nat(), { maxLength: 300 }),
    skew: fc.constantFrom(1, 2, 8),
  })
  .map(({ weights, owners, skew }): Ring => {
    const names = weights.map((_, index) => `shard-${index}`);
    const last = Math.ceil(names.length / skew);
    return {
      weights: new Map(weights.map((weight, index) => [`shard-${index}`, weight])),
      owner: new Map(owners.map((owner, index) => [`/Secret/ns/${index}`, names[owner % last] ?? ''])),
    };
  });

test('a ring out of its band is brought to its shares by the fewest moves', async () => {
  await fc.assert(
    fc.asyncProperty(aRing, async (ring) => {
      const { shards } = inputOf(ring);
      const moves = await levelled(ring);
      if (withinBand(shards)) {
        assert.equal(moves.size, 0);
        return;
      }
      const shares = wholeShares(shards);
      const above = shards.reduce(
        (sum, { load }, index) => sum + Math.max(0, load - (shares[index] ?? 0)),
        0,
      );
      assert.equal(moves.size, above);
      for (const [key, to] of moves) assert.notEqual(ring.owner.get(key), to);
      const after = inputOf(apply(ring, moves)).shards.map(({ load }) => load);
      assert.deepEqual(after, shares);
    }),
  );
});

test('a second pass moves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(aRing, async (ring) => {
      const after = apply(ring, await levelled(ring));
      assert.equal((await levelled(after)).size, 0);
    }),
  );
});

test('the same objects move, whatever the order of objects and shards', async () => {
  await fc.assert(
    fc.asyncProperty(aRing, async (ring) => {
      const other = {
        weights: new Map([...ring.weights].toReversed()),
        owner: new Map([...ring.owner].toReversed()),
      };
      assert.deepEqual(await levelled(other), await levelled(ring));
    }),
  );
});

test('objects that cannot be moved count as load, and stay', async () => {
  await fc.assert(
    fc.asyncProperty(aRing, fc.nat(4), async (ring, every) => {
      const fixed = new Set([...ring.owner.keys()].filter((_, index) => index % (every + 1) === 0));
      const moves = await levelled({ ...ring, fixed });
      for (const key of moves.keys()) assert.ok(!fixed.has(key));
      const { shards } = inputOf(ring);
      const shares = wholeShares(shards);
      const most = shards.reduce((sum, { load }, index) => sum + Math.max(0, load - (shares[index] ?? 0)), 0);
      assert.ok(moves.size <= most);
    }),
  );
});

const aChange = fc.record({
  kind: fc.constantFrom('join', 'leave', 'weigh', 'cordon', 'uncordon'),
  shard: fc.nat(9).map((number) => `shard-${number}`),
  weight: fc.constantFrom(0.5, 1, 2, 3),
  objects: fc.nat(20),
});

test('over joins, leaves, weights and cordons, only what a change needs is moved, and then nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aChange, { maxLength: 16 }), async (history) => {
      const weights = new Map([['shard-0', 1]]);
      const cordoned = new Set<string>();
      let owner = new Map<string, string>();
      for (const { kind, shard, weight, objects } of history) {
        if (kind === 'join') weights.set(shard, weight);
        else if (kind === 'leave' && weights.size > 1) weights.delete(shard);
        else if (kind === 'weigh' && weights.has(shard)) weights.set(shard, weight);
        else if (kind === 'cordon') cordoned.add(shard);
        else if (kind === 'uncordon') cordoned.delete(shard);
        const usable = new Map([...weights].filter(([name]) => !cordoned.has(name)));
        if (usable.size === 0) continue;
        for (let left = objects; left > 0; left -= 1) owner.set(`/Secret/ns/${owner.size}`, '');
        const shards = [...usable].map(([name, each]) => ({ name, weight: each }));
        for (const [key, current] of owner) {
          if (!weights.has(current)) owner.set(key, placeByHash(hasher, key, shards) ?? '');
        }
        const ring: Ring = { weights: usable, owner };
        const balanced = withinBand(inputOf(ring).shards);
        const moves = await levelled(ring);
        assert.equal(moves.size === 0, balanced);
        for (const [key, to] of moves) assert.ok(usable.has(to) && usable.has(owner.get(key) ?? ''));
        const after = apply(ring, moves);
        assert.ok(withinBand(inputOf(after).shards));
        assert.equal((await levelled(after)).size, 0);
        owner = after.owner;
      }
    }),
    { numRuns: 60 },
  );
});

test('a receiver takes from each giver what it would be given first', async () => {
  const keys = Array.from({ length: 400 }, (_, index) => `/Secret/ns/${index}`);
  const ring: Ring = {
    weights: new Map([
      ['old', 1],
      ['new', 1],
    ]),
    owner: new Map(keys.map((key) => [key, 'old'])),
  };
  const moved = await levelled(ring);
  const usable = [...ring.weights].map(([name, weight]) => ({ name, weight }));
  const byHash = new Map(keys.map((key) => [key, placeByHash(hasher, key, usable)]));
  const agreeing = [...moved.keys()].filter((key) => byHash.get(key) === 'new');
  assert.equal(moved.size, 200);
  assert.ok(agreeing.length > 140, `${agreeing.length}`);
});

test('without a shard or a weight nothing moves', async () => {
  assert.equal((await levelled({ weights: new Map(), owner: new Map() })).size, 0);
  const ring = { weights: new Map([['a', 0]]), owner: new Map([1, 2, 3].map((n) => [`${n}`, 'a'])) };
  assert.equal((await levelled(ring)).size, 0);
});

test('a hundred thousand objects are levelled onto many shards without holding up the event loop', async () => {
  const count = 100_000;
  const names = Array.from({ length: 50 }, (_, index) => `shard-${index}`);
  const hashes = Array.from({ length: count }, (_, index) => hasher.hash(`/Secret/ns/${index}`));
  const shards = names.map((name, index) => ({ name, weight: 1, load: index === 0 ? count : 0 }));
  const objects = {
    high: Int32Array.from(hashes, ({ high }) => high),
    low: Int32Array.from(hashes, ({ low }) => low),
    shard: new Int32Array(count),
  };
  let pauses = 0;
  class CountingSlice extends Slice {
    override maybeYield(): Promise<void> {
      pauses += 1;
      return super.maybeYield();
    }
  }
  const moves = await level({ hasher, shards, objects }, new CountingSlice(systemClock));
  assert.equal(moves.length, count - count / 50);
  assert.ok(pauses > 1_000, `${pauses}`);
});
