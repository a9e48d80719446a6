import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { configMaps, leases, secrets } from '../kube/resources.ts';
import type { Lease } from '../lease/lease.ts';
import { shardMetrics } from '../metrics/shard.ts';
import { weightAnnotation } from './contract.ts';
import { ref, ring, ShardWorld, shardController } from './shard-fixture.ts';
import { SlotWorld } from './slot-fixture.ts';

const series = async (registry: Registry): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

const weigh = (world: ShardWorld, weight: string): void =>
  void world.api.change<Lease>(leases, ref('a'), ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [weightAnnotation]: weight };
  });

test('a shard tells how many main objects it has by its weight, as they come and as its weight changes', async () => {
  const world = new ShardWorld();
  for (const name of ['s1', 's2', 's3']) world.secret(name, 'a');
  world.secret('other', 'b');
  // Two controllers for the same objects: they count once.
  const more = [shardController(secrets, [configMaps], () => Promise.resolve(), { name: 'second' })];
  const { shard } = world.start({ more });
  const registry = new Registry();
  shardMetrics(registry).observe(ring, () => shard.load);
  assert.deepEqual(await series(registry), []);
  await world.clock.advance(15_000);
  const name = `controller_sharding_shard_objects_per_weight{controllerring="${ring}",shard="a"}`;
  assert.deepEqual(await series(registry), [`${name} 3`]);
  world.secret('s4', 'a');
  weigh(world, '2.5');
  await world.clock.advance(3_000);
  assert.deepEqual(await series(registry), [`${name} 1.6`]);
  weigh(world, 'much');
  await world.clock.advance(3_000);
  assert.deepEqual(await series(registry), [`${name} 4`]);
});

test('a spare has no load to tell', async () => {
  const world = new SlotWorld(1);
  const started = ['p1', 'p2'].map((name) => world.pod(name));
  await world.clock.advance(5_000);
  assert.deepEqual(
    started.map(({ shard }) => shard.load?.shard),
    [`${ring}-0`, undefined],
  );
});
