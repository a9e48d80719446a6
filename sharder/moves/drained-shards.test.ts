import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cordonedAnnotation, drainAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import { RingWorld } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

async function start(...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  const mover = new RingMover(world.moves, 300_000);
  world.membership.onChange(() => mover.membershipChanged());
  void mover.run(world.signal);
  world.obey();
  await world.clock.advance(2_000);
  return world;
}

const annotate = (world: RingWorld, shard: string, annotation: string, value: string): void =>
  world.edit(shard, 'default', ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [annotation]: value };
  });

test('a shard that is drained gives away everything, with what belongs to it, and gets nothing', async () => {
  const world = await start('a', 'b', 'c');
  for (let number = 0; number < 90; number += 1) {
    world.configMap(`c${number}`, world.secret(`s${number}`), undefined);
  }
  await world.clock.advance(10_000);
  annotate(world, 'a', drainAnnotation, 'true');
  await world.clock.advance(20_000);
  const { a, b = 0, c = 0 } = world.loads();
  assert.equal(a, undefined);
  assert.equal(b + c, 90);
  for (let number = 0; number < 90; number += 1) {
    assert.equal(world.childShard(`c${number}`), world.shardOf(`s${number}`));
  }
  world.api.requests.length = 0;
  await world.clock.advance(60_000);
  assert.deepEqual(world.relabelled(), []);
});

test('when the drain is called off the shard gets its share again', async () => {
  const world = await start('a', 'b');
  world.secrets(60);
  await world.clock.advance(10_000);
  annotate(world, 'a', drainAnnotation, 'true');
  await world.clock.advance(10_000);
  assert.deepEqual(world.loads(), { b: 60 });
  annotate(world, 'a', drainAnnotation, 'false');
  await world.clock.advance(10_000);
  assert.deepEqual(world.loads(), { a: 30, b: 30 });
});

test('the last shard that could take objects keeps them although it is to be drained', async () => {
  const world = await start('a');
  world.secrets(10);
  await world.clock.advance(5_000);
  annotate(world, 'a', drainAnnotation, 'true');
  await world.clock.advance(30_000);
  assert.deepEqual(world.loads(), { a: 10 });
  world.shard('b');
  await world.clock.advance(10_000);
  assert.deepEqual(world.loads(), { b: 10 });
});

test('a cordoned shard keeps its own and gets nothing new', async () => {
  const world = await start('a', 'b');
  for (let number = 0; number < 20; number += 1) world.secret(`old-${number}`, number % 2 ? 'a' : 'b');
  await world.clock.advance(2_000);
  annotate(world, 'a', cordonedAnnotation, 'true');
  await world.clock.advance(2_000);
  world.api.requests.length = 0;
  for (let number = 0; number < 20; number += 1) world.secret(`new-${number}`);
  await world.clock.advance(30_000);
  assert.deepEqual(world.loads(), { a: 10, b: 30 });
  assert.equal(world.relabelled().length, 20);
});
