import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import {
  cordonedAnnotation,
  drainAnnotation,
  pinLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { ring } from '../membership/membership-fixture.ts';
import { RingWorld, ref } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

const pin = pinLabel(ring);

async function start(...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  const mover = new RingMover(world.moves, 300_000);
  world.membership.onChange(() => mover.membershipChanged());
  void mover.run(world.signal);
  world.obey();
  await world.clock.advance(2_000);
  return world;
}

const pinTo = (world: RingWorld, name: string, shard: string | undefined): void =>
  world.api.label(secrets, ref(name), { [pin]: shard });

test('an object that is created with a pin is given to that shard', async () => {
  const world = await start('a', 'b', 'c');
  for (const shard of ['a', 'b', 'c']) world.secret(`on-${shard}`, undefined, { [pin]: shard });
  await world.clock.advance(2_000);
  for (const shard of ['a', 'b', 'c']) assert.equal(world.shardOf(`on-${shard}`), shard);
  assert.deepEqual(world.told, []);
});

test('a pin that is added or changed later moves the object, with what belongs to it', async () => {
  const world = await start('a', 'b', 'c');
  world.configMap('c1', world.secret('s1', 'a'), 'a');
  await world.clock.advance(2_000);
  pinTo(world, 's1', 'b');
  await world.clock.advance(2_000);
  assert.deepEqual([world.shardOf('s1'), world.childShard('c1')], ['b', 'b']);
  pinTo(world, 's1', 'c');
  await world.clock.advance(2_000);
  assert.deepEqual([world.shardOf('s1'), world.childShard('c1')], ['c', 'c']);
});

test('a pin that changes while the object is on the move sends it elsewhere, by the same drain', async () => {
  const world = await new RingWorld().withShards('a', 'b', 'c');
  const mover = new RingMover(world.moves, 300_000);
  world.membership.onChange(() => mover.membershipChanged());
  void mover.run(world.signal);
  world.secret('s', 'a', { [pin]: 'b' });
  await world.clock.advance(2_000);
  assert.equal(world.drainOf('s'), 'b');
  pinTo(world, 's', 'c');
  await world.clock.advance(2_000);
  assert.equal(world.drainOf('s'), 'c');
  pinTo(world, 's', 'a');
  await world.clock.advance(2_000);
  assert.equal(world.drainOf('s'), 'a', 'its shard takes the hand-over back');
  pinTo(world, 's', undefined);
  await world.clock.advance(2_000);
  assert.equal(world.drainOf('s'), 'a');
});

test('when a pin is removed the object stays', async () => {
  const world = await start('a', 'b');
  world.secret('s1', undefined, { [pin]: 'a' });
  await world.clock.advance(2_000);
  world.api.requests.length = 0;
  pinTo(world, 's1', undefined);
  await world.clock.advance(10_000);
  assert.equal(world.shardOf('s1'), 'a');
  assert.deepEqual(world.relabelled(), []);
});

test('an object that is pinned to an absent shard is placed as usual, told of once, and moved when the shard comes', async () => {
  const world = await start('a', 'b');
  world.secret('s1', undefined, { [pin]: 'z' });
  await world.clock.advance(30_000);
  assert.ok(['a', 'b'].includes(world.shardOf('s1') ?? ''));
  assert.deepEqual(world.told, ['PinnedShardNotReady s1']);
  world.shard('z');
  await world.clock.advance(5_000);
  assert.equal(world.shardOf('s1'), 'z');
});

test('an object that is pinned to a shard which dies moves on, and comes back with it', async () => {
  const world = await start('a', 'b');
  world.secret('s1', undefined, { [pin]: 'a' });
  await world.clock.advance(2_000);
  world.release('a');
  await world.clock.advance(3_000);
  assert.equal(world.shardOf('s1'), 'b');
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = 'a';
  });
  await world.clock.advance(5_000);
  assert.equal(world.shardOf('s1'), 'a');
});

test('a cordoned shard gets what is pinned to it, one that is drained does not', async () => {
  const world = await start('a', 'b', 'c');
  const annotate = (name: string, annotation: string): void =>
    world.edit(name, 'default', ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [annotation]: 'true' };
    });
  annotate('a', cordonedAnnotation);
  annotate('b', drainAnnotation);
  await world.clock.advance(2_000);
  world.secret('s1', undefined, { [pin]: 'a' });
  world.secret('s2', undefined, { [pin]: 'b' });
  await world.clock.advance(2_000);
  assert.deepEqual([world.shardOf('s1'), world.shardOf('s2')], ['a', 'c']);
  assert.deepEqual(world.told, ['PinnedShardNotReady s2']);
});

test('pinned objects count as load and are not levelled away', async () => {
  const world = await start('a', 'b');
  for (let number = 0; number < 40; number += 1) world.secret(`p${number}`, 'a', { [pin]: 'a' });
  for (let number = 0; number < 20; number += 1) world.secret(`s${number}`, 'a');
  world.shard('c');
  await world.clock.advance(10_000);
  assert.deepEqual(world.loads(), { a: 40, b: 10, c: 10 });
});

test('a pin on a controlled object is ignored, and an Event says whom it follows', async () => {
  const world = await start('a', 'b');
  const owner = world.secret('s1', 'a');
  world.configMap('c1', owner, 'a');
  world.api.label(configMaps, ref('c1'), { [pin]: 'b' });
  await world.clock.advance(5_000);
  assert.deepEqual([world.shardOf('s1'), world.childShard('c1')], ['a', 'a']);
  assert.deepEqual(world.told, ['PinIgnored c1']);
});

test('pins on what the ring does not select change nothing', async () => {
  const world = await start('a', 'b');
  world.secret('s1', 'a', { [pin]: 'b' }, 'foreign');
  world.api.seed(configMaps, { metadata: { ...ref('alone'), labels: { [pin]: 'b' } } });
  await world.clock.advance(5_000);
  assert.deepEqual(world.relabelled(), []);
  assert.deepEqual(world.told, []);
});
