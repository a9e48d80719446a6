import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, namespaces, pods, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { Assigner } from './assigner.ts';
import { listControlled } from './controlled-lists.ts';
import { emptyDeadShard, isShardEmpty } from './dead-shards.ts';
import { DrainHints } from './drain-hints.ts';
import { fetchLeftBehind } from './left-behind.ts';
import { levelRing } from './leveller.ts';
import { assigned, drain, RingWorld, ref } from './ring-fixture.ts';

/** A ring of Secrets, which control ConfigMaps, which control Pods. */
async function start(...shards: string[]): Promise<RingWorld> {
  const world = new RingWorld();
  world.main.controlled.push(pods);
  await world.withShards(...shards);
  return world;
}

/** Secret `<name>`, ConfigMap `<name>-c`, Pod `<name>-p`. */
function tree(world: RingWorld, name: string, shards: Array<string | undefined>, labels = {}): KubeObject {
  const owner = world.secret(name, shards[0], labels);
  const middle = world.controlled(configMaps, `${name}-c`, owner, shards[1]);
  world.controlled(pods, `${name}-p`, middle, shards[2]);
  return owner;
}

const shardsOf = (world: RingWorld, name: string): Array<string | undefined> => [
  world.shardOf(name),
  world.childShard(`${name}-c`),
  world.labels(pods, `${name}-p`)[assigned],
];

const listsOf = (world: RingWorld): string[] =>
  world.api.requests
    .filter(({ verb, resource }) => verb === 'list' && !resource.startsWith('leases'))
    .map(({ resource, object }) => `${resource} ${object}`);

/** Assigns what comes, while the returned world lives. */
async function assigning(...shards: string[]): Promise<RingWorld> {
  const world = await start(...shards);
  void new Assigner(world.moves, new DrainHints()).run(world.signal);
  await world.clock.advance(50);
  world.api.requests.length = 0;
  return world;
}

/** Another object controls the ConfigMap from now on; undefined: none. */
function adopt(world: RingWorld, configMap: string, owner: KubeObject | undefined): void {
  world.api.change<KubeObject>(configMaps, ref(configMap), ({ metadata }) => {
    const { apiVersion = '', kind = '' } = owner ?? {};
    const { name = '', uid = '' } = owner?.metadata ?? {};
    metadata.ownerReferences = owner ? [{ apiVersion, kind, name, uid, controller: true }] : [];
  });
}

test('a dead shard`s trees move whole, the owners last, with one list for each controlled resource', async () => {
  const world = await start('a', 'b');
  for (const name of ['s0', 's1', 's2']) tree(world, name, ['a', 'a', 'a']);
  world.release('a');
  await world.clock.advance(0);
  world.api.requests.length = 0;
  assert.equal(await isShardEmpty(world.moves, 'a', world.signal), false);
  world.api.requests.length = 0;
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  for (const name of ['s0', 's1', 's2']) {
    assert.deepEqual(shardsOf(world, name), ['b', 'b', 'b']);
    const writes = world.relabelled().filter((write) => write.includes(name));
    assert.equal(writes.length, 3);
    assert.equal(writes.at(-1), `secrets/${name}`);
  }
  assert.deepEqual(listsOf(world), ['secrets ', 'configmaps default', 'pods default', 'secrets ']);
  assert.equal(await isShardEmpty(world.moves, 'a', world.signal), true);
});

test('trees are found in whatever order their resources are listed', async () => {
  const world = await start('a');
  world.main.controlled.reverse();
  const owners = [tree(world, 's0', ['a', 'a', 'a']), tree(world, 's1', ['a', 'a', 'a'])];
  tree(world, 'other', ['a', 'a', 'a']);
  const found = await listControlled(world.api, world.moves.scope, secrets, owners, world.signal);
  assert.deepEqual(
    owners.map(({ metadata }) => found.get(metadata.uid ?? '')?.map(({ object }) => object.metadata.name)),
    [
      ['s0-c', 's0-p'],
      ['s1-c', 's1-p'],
    ],
  );
});

test('a Pod that is left behind gets the label of the owner at the top, also when what is between is left behind, too', async () => {
  const world = await start('a', 'b');
  tree(world, 's', ['b', 'a', 'a']);
  tree(world, 't', ['b', 'b', 'a']);
  tree(world, 'u', ['a', 'a', 'a']);
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 3);
  assert.deepEqual(shardsOf(world, 's'), ['b', 'b', 'b']);
  assert.deepEqual(shardsOf(world, 't'), ['b', 'b', 'b']);
  assert.deepEqual(shardsOf(world, 'u'), ['a', 'a', 'a']);
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
});

test('a Pod is passed over while the owner at the top is on the move', async () => {
  const world = await start('a', 'b');
  tree(world, 's', ['a', 'b', 'a'], { [drain]: 'b' });
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
  assert.deepEqual(world.relabelled(), []);
});

test('an owner that begins to move after the lists keeps its Pods where they are', async () => {
  const world = await start('a', 'b');
  tree(world, 's', ['a', 'a', 'b']);
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource === 'pods',
    meanwhile: () => world.api.label(secrets, ref('s'), { [drain]: 'b' }),
  });
  await fetchLeftBehind(world.moves, world.signal);
  assert.deepEqual(world.relabelled(), []);
});

test('a new tree without labels gets one shard for all, level by level, and nobody asks while it waits', async () => {
  const world = await assigning('a', 'b');
  tree(world, 's', []);
  await world.clock.advance(1_000);
  const [shard, ...others] = shardsOf(world, 's');
  assert(shard);
  assert.deepEqual(others, [shard, shard]);
});

test('what waits for an owner that waits for a shard costs no request', async () => {
  const world = await assigning();
  for (let number = 0; number < 20; number += 1) tree(world, `s${number}`, []);
  await world.clock.advance(60_000);
  const { length } = world.api.requests.filter(({ resource }) => !resource.startsWith('leases'));
  assert.equal(length, 0);
  world.shard('a');
  await world.clock.advance(2_000);
  assert.deepEqual(shardsOf(world, 's19'), ['a', 'a', 'a']);
});

test('a Pod without a label waits while the owner at the top is on the move', async () => {
  const world = await assigning('a', 'b');
  tree(world, 's', ['a', 'a', undefined], { [drain]: 'b' });
  await world.clock.advance(1_000);
  assert.deepEqual(shardsOf(world, 's'), ['a', 'a', undefined]);
  world.api.label(configMaps, ref('s-c'), { [assigned]: 'b' });
  world.api.label(secrets, ref('s'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(2_000);
  assert.deepEqual(shardsOf(world, 's'), ['b', 'b', 'b']);
});

test('an object whose owner is not there is looked at less and less often, and follows the one that it gets', async () => {
  const world = await assigning('a', 'b');
  world.controlled(configMaps, 'c', world.secret('s', 'a'));
  world.api.remove(secrets, ref('s'));
  const gets = (): number => world.api.requests.filter(({ verb }) => verb === 'get').length;
  await world.clock.advance(60_000);
  assert.equal(gets(), 6, 'at once, and 1, 3, 7, 15, 31 s later');
  await world.clock.advance(540_000);
  assert.equal(gets(), 10);
  adopt(world, 'c', world.secret('s', 'b'));
  await world.clock.advance(100);
  assert.equal(world.childShard('c'), 'b');
});

test('owner references in a circle end with an Event and cost next to nothing', async () => {
  const world = await assigning('a');
  const one = world.controlled(configMaps, 'one', world.secret('s', 'a'));
  const two = world.controlled(configMaps, 'two', one);
  adopt(world, 'one', two);
  world.api.label(configMaps, ref('one'), { [assigned]: undefined });
  await world.clock.advance(600_000);
  assert.deepEqual([...new Set(world.told)].toSorted(), ['EndlessControllers one', 'EndlessControllers two']);
  assert.deepEqual([world.childShard('one'), world.childShard('two')], [undefined, undefined]);
  assert(world.api.requests.filter(({ verb }) => verb === 'get').length < 50);

  for (const name of ['one', 'two']) world.api.label(configMaps, ref(name), { [assigned]: 'gone' });
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
  assert.equal(await isShardEmpty(world.moves, 'gone', world.signal), true);
});

test('an object that controls itself, and a chain without end, are no obstacle', async () => {
  const world = await assigning('a', 'b');
  let above = world.secret('s', 'b');
  for (let level = 0; level < 30; level += 1) above = world.controlled(configMaps, `c${level}`, above, 'a');
  const own = world.controlled(configMaps, 'own', world.secret('t', 'b'), 'a');
  adopt(world, 'own', own);
  await fetchLeftBehind(world.moves, world.signal);
  assert.deepEqual([world.childShard('c0'), world.childShard('c15')], ['b', 'b']);
  assert.deepEqual([world.childShard('c16'), world.childShard('own')], ['a', 'a'], 'left alone');
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
});

test('cluster-scoped owners take along what they control in all namespaces that the ring selects', async () => {
  const world = new RingWorld();
  world.main.resource = namespaces;
  world.main.controlled.push(pods);
  await world.withShards('a', 'b');
  const owner = world.api.seed<KubeObject>(namespaces, {
    metadata: { name: 'big', labels: { [assigned]: 'a' } },
  });
  for (const namespace of ['default', 'other', 'foreign']) {
    const middle = world.controlled(configMaps, 'c', owner, 'a', namespace);
    world.controlled(pods, 'p', middle, 'a');
  }
  world.release('a');
  await world.clock.advance(0);
  world.api.requests.length = 0;
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual(listsOf(world), ['namespaces ', 'configmaps ', 'pods ', 'namespaces ']);
  assert.equal(world.labels(namespaces, 'big')[assigned], undefined, 'it has no namespace');
  assert.equal(world.api.peek<KubeObject>(namespaces, { name: 'big' })?.metadata.labels?.[assigned], 'b');
  for (const [namespace, shard] of Object.entries({ default: 'b', other: 'b', foreign: 'a' })) {
    assert.equal(world.childShard('c', namespace), shard);
    assert.equal(world.labels(pods, 'p', namespace)[assigned], shard);
  }
});

test('an object that is adopted gets the label of its new owner', async () => {
  const world = await start('a', 'b');
  world.controlled(configMaps, 'c', world.secret('old', 'a'), 'a');
  adopt(world, 'c', world.secret('new', 'b'));
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 1);
  assert.equal(world.childShard('c'), 'b');
});

test('an object that lost its controller keeps its label, and so does what it controls', async () => {
  const world = await start('a', 'b');
  tree(world, 's', ['b', 'a', 'a']);
  adopt(world, 's-c', undefined);
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 0);
  assert.deepEqual(shardsOf(world, 's'), ['b', 'a', 'a']);
  world.release('a');
  await world.clock.advance(0);
  assert.equal(await isShardEmpty(world.moves, 'a', world.signal), true, 'and is no part of the ring');
});

test('two owners of different main resources each take along what they control of a common resource', async () => {
  const world = await start('a', 'b');
  world.moves.scope.mains.push({ resource: namespaces, controlled: [configMaps, pods] });
  const cluster = world.api.seed<KubeObject>(namespaces, {
    metadata: { name: 'n', labels: { [assigned]: 'b' } },
  });
  world.controlled(configMaps, 'of-n', cluster, 'b', 'default');
  tree(world, 's', ['a', 'a', 'a']);
  world.release('a');
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual(shardsOf(world, 's'), ['b', 'b', 'b']);
  assert.deepEqual(world.relabelled().length, 3);
  world.api.label(configMaps, ref('of-n'), { [assigned]: 'c' });
  assert.equal(await fetchLeftBehind(world.moves, world.signal), 1);
  assert.equal(world.childShard('of-n'), 'b');
});

test('levelling counts and moves no object that is controlled', async () => {
  const world = await start('a', 'b');
  world.moves.scope.mains.push({ resource: configMaps, controlled: [pods] });
  for (let number = 0; number < 20; number += 1) {
    const owner = world.secret(`s${number}`, number < 10 ? 'a' : 'b');
    for (const each of ['x', 'y']) world.configMap(`c${number}-${each}`, owner, number < 10 ? 'a' : 'b');
  }
  for (let number = 0; number < 20; number += 1) {
    world.api.seed(configMaps, { metadata: { ...ref(`free${number}`), labels: { [assigned]: 'a' } } });
  }
  assert.equal((await levelRing(world.moves, () => true, world.signal)).drained, 10);
  assert(
    world.relabelled().every((write) => write.startsWith('configmaps/free') || write.startsWith('secrets/')),
  );
});
