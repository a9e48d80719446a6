import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, pods, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { Assigner } from './assigner.ts';
import { emptyDeadShard } from './dead-shards.ts';
import { DrainHints } from './drain-hints.ts';
import { fetchLeftBehind } from './left-behind.ts';
import { assigned, drain, RingWorld, ref } from './ring-fixture.ts';

/** A ring of Secrets, which control ConfigMaps, and of ConfigMaps, which control Pods. */
async function start(...shards: string[]): Promise<RingWorld> {
  const world = new RingWorld();
  world.moves.scope.mains.push({ resource: configMaps, controlled: [pods] });
  return world.withShards(...shards);
}

async function assigning(...shards: string[]): Promise<RingWorld> {
  const world = await start(...shards);
  void new Assigner(world.moves, new DrainHints()).run(world.signal);
  await world.clock.advance(50);
  return world;
}

const free = (world: RingWorld, name: string, shard?: string): KubeObject =>
  world.api.seed<KubeObject>(configMaps, {
    metadata: { ...ref(name), labels: shard === undefined ? {} : { [assigned]: shard } },
  });

const podShard = (world: RingWorld, name: string): string | undefined => world.labels(pods, name)[assigned];

test('with a controller in the ring it follows that, else it is placed', async () => {
  const world = await assigning('a', 'b');
  world.controlled(pods, 'p', world.configMap('c', world.secret('s', 'b')));
  for (let number = 0; number < 10; number += 1)
    world.controlled(pods, `p${number}`, free(world, `c${number}`));
  await world.clock.advance(1_000);
  assert.deepEqual([world.childShard('c'), podShard(world, 'p')], ['b', 'b']);
  const shards = new Set<string | undefined>();
  for (let number = 0; number < 10; number += 1) {
    shards.add(world.childShard(`c${number}`));
    assert.equal(podShard(world, `p${number}`), world.childShard(`c${number}`));
  }
  assert.deepEqual(shards, new Set(['a', 'b']));
});

test('of a dead shard the free ones are moved by themselves, the others with their owners', async () => {
  const world = await start('a', 'b');
  world.controlled(pods, 'p', world.configMap('c', world.secret('s', 'a'), 'a'), 'a');
  world.controlled(pods, 'q', free(world, 'free', 'a'), 'a');
  world.api.label(configMaps, ref('c'), { [drain]: 'x' });
  world.release('a');
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual([podShard(world, 'p'), podShard(world, 'q'), world.childShard('c')], ['b', 'b', 'b']);
  assert.equal(world.relabelled().length, 5, 'each once');
  assert.deepEqual(world.labels(configMaps, 'c'), { [assigned]: 'b' }, 'and no drain is left');
  assert(world.relabelled().indexOf('secrets/s') > world.relabelled().indexOf('configmaps/c'));
});

test('one whose owner is elsewhere is not placed when its shard is given up', async () => {
  const world = await start('a', 'b', 'c');
  for (let number = 0; number < 10; number += 1)
    world.configMap(`c${number}`, world.secret(`s${number}`, 'b'), 'a');
  world.release('a');
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual(world.relabelled(), [], 'it follows when what was left behind is looked for');
});

test('one that is adopted by an owner elsewhere is drained, since its shard may work on it', async () => {
  const world = await start('a', 'b');
  world.controlled(pods, 'p', world.configMap('c', world.secret('s', 'b'), 'a'), 'a');
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 1);
  assert.deepEqual(world.labels(configMaps, 'c'), { [assigned]: 'a', [drain]: 'b' });
  assert.equal(podShard(world, 'p'), 'a', 'it goes along with the hand-over');
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
  assert.equal(world.relabelled().length, 1);
});

test('it is moved at once when its shard is given up', async () => {
  const world = await start('a', 'b');
  world.configMap('c', world.secret('s', 'b'), 'a');
  world.api.label(configMaps, ref('c'), { [drain]: 'x' });
  world.release('a');
  await world.clock.advance(0);
  await fetchLeftBehind(world.moves, world.signal);
  assert.deepEqual(world.labels(configMaps, 'c'), { [assigned]: 'b' }, 'whatever it was to do');
});

test('an owner that moves takes nothing from another shard that may work on it', async () => {
  const world = await start('a', 'b', 'c');
  world.configMap('adopted', world.secret('s', 'a'), 'b');
  world.secret('b-only', 'b');
  world.release('a');
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual(world.relabelled(), ['secrets/s']);
});

test('one that lost its controller is sticky, and placed anew like any other', async () => {
  const world = await assigning('a', 'b');
  const owner = world.secret('s', 'b');
  world.configMap('c', owner, 'b');
  world.api.change<KubeObject>(configMaps, ref('c'), ({ metadata }) => {
    metadata.ownerReferences = [];
  });
  world.api.label(secrets, ref('s'), { [assigned]: 'a' });
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
  assert.equal(world.childShard('c'), 'b');
  world.release('b');
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'b', world.signal), true);
  assert.equal(world.childShard('c'), 'a');
});

test('two rings on one resource have labels of their own', async () => {
  const world = await start('a', 'b');
  const other = 'shard.alpha.sharding.timebertt.dev/other';
  const owner = world.secret('s', 'a', { [other]: 'z' });
  world.configMap('c', owner, 'a');
  world.api.label(configMaps, ref('c'), { [other]: 'y' });
  world.release('a');
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual(world.labels(secrets, 's'), { [assigned]: 'b', [other]: 'z' });
  assert.deepEqual(world.labels(configMaps, 'c'), { [assigned]: 'b', [other]: 'y' });
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
});
