import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { DrainHints } from './drain-hints.ts';
import { Drains } from './drains.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';

async function start(...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  const hints = new DrainHints();
  let changes = 0;
  const drains = new Drains(world.moves, hints, () => {
    changes += 1;
  });
  void drains.run(world.signal);
  await world.clock.advance(0);
  return { world, hints, drains, changes: () => changes };
}

test('objects on the move are counted, and no others', async () => {
  const { world, drains, changes } = await start('a', 'b');
  world.secret('still', 'a');
  world.secret('moving', 'a', { [drain]: 'b' });
  world.secret('elsewhere', 'a', { [drain]: 'b' }, 'foreign');
  await world.clock.advance(0);
  assert.equal(drains.count, 1);
  world.api.label(secrets, ref('moving'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(0);
  assert.equal(drains.count, 0);
  assert.equal(changes(), 2);
});

test('a drain towards a shard that can not take objects is sent elsewhere, the others stay', async () => {
  const { world, drains } = await start('a', 'b', 'c');
  world.secret('fine', 'a', { [drain]: 'b' });
  world.secret('stranded', 'a', { [drain]: 'c' });
  await world.clock.advance(0);
  world.release('c');
  await world.clock.advance(0);
  await drains.retarget();
  assert.deepEqual(world.relabelled(), ['secrets/stranded']);
  assert(['a', 'b'].includes(world.drainOf('stranded') ?? ''));
  assert.equal(world.shardOf('stranded'), 'a', 'it stays with its shard until that lets go');
  assert.equal(world.drainOf('fine'), 'b');
});

test('so is one towards an expired shard', async () => {
  const { world, drains } = await start('a', 'b');
  world.secret('s', 'a', { [drain]: 'b' });
  world.silence('b');
  await world.clock.advance(16_000);
  assert.equal(world.state('b'), 'expired');
  await drains.retarget();
  assert.equal(world.drainOf('s'), 'a', 'a cancel is a re-target to the present shard');
});

test('an object of a given-up shard is not drained but moved by others', async () => {
  const { world, drains } = await start('a', 'b');
  world.secret('s', 'a', { [drain]: 'c' });
  world.release('a');
  await world.clock.advance(0);
  await drains.retarget();
  assert.deepEqual(world.relabelled(), []);
});

test('a drain to nobody stays as it is', async () => {
  const { world, drains } = await start('a', 'b');
  world.secret('s', 'a', { [drain]: '' });
  await world.clock.advance(0);
  await drains.retarget();
  assert.deepEqual(world.relabelled(), []);
});

test('without a usable shard drains wait', async () => {
  const { world, drains } = await start();
  world.announce('a');
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = 'x';
  });
  world.secret('s', 'a', { [drain]: 'c' });
  await world.clock.advance(0);
  await drains.retarget();
  assert.deepEqual(world.relabelled(), []);
});

test('a shard that lets go first wins against a new target', async () => {
  const { world, drains } = await start('a', 'b');
  world.secret('s', 'a', { [drain]: 'c' });
  await world.clock.advance(0);
  world.api.fault({
    on: patchOf('secrets', 's'),
    meanwhile: () => world.api.label(secrets, ref('s'), { [assigned]: undefined, [drain]: undefined }),
  });
  await drains.retarget();
  assert.deepEqual(world.labels(secrets, 's'), {});
});

test('where an object was to go is remembered as soon as its drain is seen, and by its last target', async () => {
  const { world, hints } = await start('a', 'b', 'c');
  const { metadata } = world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(0);
  assert.equal(hints.take(metadata.uid ?? ''), 'b');
  world.api.label(secrets, ref('s'), { [drain]: 'c' });
  await world.clock.advance(0);
  world.api.label(secrets, ref('s'), { [assigned]: undefined, [drain]: undefined });
  await world.clock.advance(0);
  assert.equal(hints.take(metadata.uid ?? ''), 'c');
});
