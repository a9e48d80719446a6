import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ring } from '../membership/membership-fixture.ts';
import { ModelWorld } from './model-fixture.ts';

test('a name that is released and taken again works on nothing that a sharder with an older view still moves', async () => {
  const world = new ModelWorld();
  const { api, clock, rules } = world;
  const sharder = world.sharder('k1');
  const first = world.process('a');
  world.process('b');
  await clock.advance(3_000);
  world.pair('s', 'a');
  await clock.advance(2_000);
  assert.deepEqual(new Set(rules.begun), new Set(['a#1 s']));

  first.end();
  await world.until('the shard to look dead', () => sharder.membership.isGivenUp(ring, 'a'), 2_000);
  world.blind('k1');
  // Whoever works on the object now, works on it for long, and learns late that it was moved.
  world.reconcileMs = 60_000;
  const second = world.process('a');
  api.delayWatches(({ user, resource }) => (user === second.user && resource === 'secrets' ? 60_000 : 0));
  await clock.advance(2_500);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');

  // It decides when its view is nearly too old for that, and its last write is on its way for as long as may be.
  world.hit('k1', 'patch', 'secrets', { delayMs: 3_900 });
  sharder.move();
  await clock.advance(3_000);
  assert.deepEqual(world.pairOf(), { owner: 'a', child: 'b', drain: undefined });
  await clock.advance(1_000);
  assert.deepEqual(world.pairOf(), { owner: 'b', child: 'b', drain: undefined });

  await clock.advance(20_000);
  assert.equal(second.shard.ready, true);
  assert.deepEqual(rules.of('exclusion', 'order', 'sees-own'), []);
  assert.deepEqual(new Set(rules.begun), new Set(['a#1 s', 'b#2 s']));
});
