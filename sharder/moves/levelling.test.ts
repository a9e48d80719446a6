import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingWorld } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

async function pass(world: RingWorld, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) await world.clock.advance(500);
}

async function start(...shards: string[]): Promise<RingWorld> {
  const world = new RingWorld();
  world.secrets(60, 'a');
  await world.withShards(...shards);
  const mover = new RingMover(world.moves, 300_000);
  world.membership.onChange(() => mover.membershipChanged());
  void mover.run(world.signal);
  return world;
}

const onTheMove = (world: RingWorld): number =>
  Array.from({ length: 60 }, (_, number) => world.drainOf(`s${number}`)).filter((to) => to === 'b').length;

test('moves that were called off because their target was silent for a while are made when it is back', async () => {
  const world = await start('a', 'b');
  await pass(world, 2_000);
  assert.equal(onTheMove(world), 30, 'asked for, and not yet answered');
  world.silence('b');
  await pass(world, 16_000);
  assert.equal(onTheMove(world), 0, 'called off');
  world.renew('b');
  world.obey();
  for (let at = 0; at < 30_000; at += 2_000) {
    await pass(world, 2_000);
    world.renew('b');
  }
  assert.deepEqual(world.loads(), { a: 30, b: 30 });
});

test('what was in flight while levelling was planned is counted where it arrives, and nothing moves again', async () => {
  const world = await start('a', 'b');
  await pass(world, 2_000);
  assert.equal(onTheMove(world), 30);
  world.shard('c');
  await pass(world, 2_000);
  world.obey();
  await pass(world, 30_000);
  assert.deepEqual(world.loads(), { a: 20, b: 20, c: 20 });
  world.api.requests.length = 0;
  await pass(world, 60_000);
  assert.deepEqual(world.relabelled(), []);
});
