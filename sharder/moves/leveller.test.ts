import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { levelRing } from './leveller.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';

async function start(...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  const level = async (right: () => boolean = () => true) =>
    (await levelRing(world.moves, right, world.signal)).drained;
  const drains = (): Record<string, number> => {
    const count: Record<string, number> = {};
    for (const { metadata } of world.api.all<KubeObject>(secrets)) {
      const to = metadata.labels?.[drain];
      if (to !== undefined) count[to] = (count[to] ?? 0) + 1;
    }
    return count;
  };
  const handOver = (): void => {
    for (const { metadata } of world.api.all<KubeObject>(secrets)) {
      const to = metadata.labels?.[drain];
      if (to !== undefined) world.api.label(secrets, metadata, { [assigned]: to, [drain]: undefined });
    }
  };
  return { world, level, drains, handOver };
}

test('a shard that joins is given its share by drains, and only that moves', async () => {
  const { world, level, drains } = await start('a', 'b');
  world.secrets(100, 'a');
  assert.equal(await level(), 50);
  assert.deepEqual(drains(), { b: 50 });
  assert.deepEqual(world.loads(), { a: 100 }, 'each stays with its shard until that lets go');
  assert.equal(world.counts.drained, 50);
});

test('a second pass writes nothing, neither while the objects move nor when they have', async () => {
  const { world, level, handOver } = await start('a', 'b', 'c');
  world.secrets(90, 'a');
  assert.equal(await level(), 60);
  world.api.requests.length = 0;
  assert.equal(await level(), 0, 'those on the move count where they go');
  handOver();
  assert.equal(await level(), 0);
  assert.deepEqual(world.api.writes(), []);
  assert.deepEqual(world.loads(), { a: 30, b: 30, c: 30 });
});

test('loads within the band around their share are left as they are', async () => {
  const { world, level } = await start('a', 'b');
  for (let number = 0; number < 100; number += 1) world.secret(`s${number}`, number < 54 ? 'a' : 'b');
  assert.equal(await level(), 0);
  assert.deepEqual(world.api.writes(), []);
});

test('objects of shards that are not usable neither count nor move', async () => {
  const { world, level } = await start('a', 'b');
  for (let number = 0; number < 60; number += 1)
    world.secret(`s${number}`, number < 10 ? 'a' : number < 20 ? 'b' : 'dead');
  world.secret('f', 'a', {}, 'foreign');
  assert.equal(await level(), 0);
});

test('what is on the move already is not moved again', async () => {
  const { world, level, drains } = await start('a', 'b');
  for (let number = 0; number < 40; number += 1)
    world.secret(`s${number}`, 'a', number < 10 ? { [drain]: 'b' } : {});
  assert.equal(await level(), 10);
  assert.deepEqual(drains(), { b: 20 });
});

test('so another one has to, where it goes to a shard that has too much', async () => {
  const { world, level, drains } = await start('a', 'b', 'c');
  for (let number = 0; number < 90; number += 1) {
    world.secret(`s${number}`, number < 60 ? 'a' : 'b', number < 30 ? { [drain]: 'b' } : {});
  }
  assert.equal(await level(), 30);
  assert.deepEqual(drains(), { b: 30, c: 30 });
});

test('nothing more is asked for once the plan does not stand', async () => {
  const { world, level, drains } = await start('a', 'b');
  world.secrets(100, 'a');
  let asked = 0;
  assert.equal(await level(() => (asked += 1) <= 5), 5);
  assert.deepEqual(drains(), { b: 5 });
});

test('an object that moved since it was planned for is let alone', async () => {
  const { world, level } = await start('a', 'b');
  world.secrets(40, 'a');
  const deserters: string[] = [];
  world.api.fault({
    on: ({ verb, object }) => verb === 'patch' && deserters.push(object) > 0,
    meanwhile: ({ object }) =>
      world.api.label(secrets, ref(object.slice('default/'.length)), { [assigned]: 'c' }),
  });
  assert.equal(await level(), 19);
  const [first = ''] = deserters;
  assert.equal(world.shardOf(first.slice('default/'.length)), 'c');
  assert.equal(world.drainOf(first.slice('default/'.length)), undefined);
});

test('a ring without a shard, or without objects, is level', async () => {
  const { world, level } = await start();
  world.secrets(10, 'a');
  assert.equal(await level(), 0);
  assert.equal(await (await start('a', 'b')).level(), 0);
  assert.deepEqual(world.api.writes(), []);
});

test('the plan depends neither on who makes it nor on names of requests', async () => {
  const plans: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const { world, level } = await start('a', 'b', 'c');
    world.secrets(50, 'a');
    await level();
    plans.push(JSON.stringify(world.api.all<KubeObject>(secrets).map(({ metadata }) => metadata.labels)));
  }
  assert.equal(plans[0], plans[1]);
});

test('a write that fails is told, and what was refused for one keeps no other', async () => {
  const { world, level, drains } = await start('a', 'b');
  world.secrets(20, 'a');
  world.api.fault({ on: patchOf('secrets', 's1'), error: new Error('no'), times: 100 });
  await level().catch(() => undefined);
  assert((drains()['b'] ?? 0) >= 1);
});
