import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { Assigner } from './assigner.ts';
import { DrainHints } from './drain-hints.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';

async function start(...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  const hints = new DrainHints();
  const assigner = new Assigner(world.moves, hints);
  const ended = assigner.run(world.signal);
  await world.clock.advance(50);
  world.api.requests.length = 0;
  return { world, hints, assigner, ended };
}

test('an object without a shard gets one, by one patch and with no other request', async () => {
  const { world, assigner } = await start('a', 'b');
  world.main.controlled.length = 0;
  world.secret('s');
  await world.clock.advance(50);
  assert(['a', 'b'].includes(world.shardOf('s') ?? ''));
  assert.deepEqual(
    world.api.requests.filter(({ resource }) => !resource.startsWith('leases')).map(({ verb }) => verb),
    ['patch'],
  );
  assert.equal(assigner.unassigned, 0);
  assert.equal(world.counts.assigned, 1);
});

test('many objects are spread over the shards, with one list of controlled objects for all of a wave', async () => {
  const { world } = await start('a', 'b', 'c');
  world.secrets(300);
  await world.clock.advance(500);
  const loads = world.loads();
  assert.equal(loads[''], undefined);
  for (const shard of ['a', 'b', 'c']) assert((loads[shard] ?? 0) > 60, JSON.stringify(loads));
  const lists = world.api.requests.filter(
    ({ verb, resource }) => verb === 'list' && resource === 'configmaps',
  );
  assert(lists.length <= 3, `${lists.length} lists`);
});

test('without a usable shard objects wait, and are counted', async () => {
  const { world, assigner } = await start();
  world.secrets(3);
  await world.clock.advance(5_000);
  assert.equal(assigner.unassigned, 3);
  assert.deepEqual(world.relabelled(), []);
  world.shard('a');
  await world.clock.advance(1_500);
  assert.deepEqual(world.loads(), { a: 3 });
});

test('an object of a namespace that the ring does not select gets none, and is not even kept', async () => {
  const { world, assigner } = await start('a');
  world.secret('s', undefined, {}, 'foreign');
  await world.clock.advance(10_000);
  assert.deepEqual(world.relabelled(), []);
  assert.equal(assigner.unassigned, 0);
});

test('one of a namespace that is not known yet waits until it is', async () => {
  const { world } = await start('a');
  world.secret('s', undefined, {}, 'new');
  await world.clock.advance(1_000);
  assert.deepEqual(world.relabelled(), []);
  world.namespaces.set('new', true);
  await world.clock.advance(5_000);
  assert.equal(world.shardOf('s', 'new'), 'a');
});

test('a controlled object gets the label of its controller', async () => {
  const { world } = await start('a', 'b');
  world.configMap('c', world.secret('s', 'b'));
  await world.clock.advance(50);
  assert.equal(world.childShard('c'), 'b');
});

test('a controlled object follows an owner that gets its shard at the same time', async () => {
  const { world } = await start('a', 'b');
  world.configMap('c', world.secret('s'));
  await world.clock.advance(1_000);
  assert.notEqual(world.shardOf('s'), undefined);
  assert.equal(world.childShard('c'), world.shardOf('s'));
});

test('a controlled object waits while its owner is on the move', async () => {
  const { world } = await start('a', 'b');
  world.configMap('c', world.secret('s', 'a', { [drain]: 'b' }));
  await world.clock.advance(1_000);
  assert.equal(world.childShard('c'), undefined);
  world.api.label(secrets, ref('s'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(5_000);
  assert.equal(world.childShard('c'), 'b');
});

test('a ConfigMap that nothing of the ring controls, or a former owner did, is let alone', async () => {
  const { world } = await start('a');
  world.api.seed(configMaps, { metadata: ref('free') });
  const owner = world.secret('s', 'a');
  world.configMap('stale', { ...owner, metadata: { ...owner.metadata, uid: 'former' } });
  world.configMap('alien', { ...owner, kind: 'Website' });
  await world.clock.advance(2_000);
  assert.deepEqual(world.relabelled(), []);
});

test('an object that a foreign shard let go takes its controlled objects along, before itself', async () => {
  const { world } = await start('b');
  world.configMap('c', world.secret('s', 'x', { [drain]: 'b' }), 'x');
  world.api.label(secrets, ref('s'), { [assigned]: undefined, [drain]: undefined });
  await world.clock.advance(50);
  assert.deepEqual(world.relabelled(), ['configmaps/c', 'secrets/s']);
  assert.deepEqual([world.shardOf('s'), world.childShard('c')], ['b', 'b']);
});

test('an object whose drain has just vanished goes where it was to go, while that shard is usable', async () => {
  const { world, hints } = await start('a', 'b', 'c');
  const targets = ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c'];
  for (const [number, target] of targets.entries()) {
    hints.remember(world.secret(`s${number}`).metadata.uid ?? '', target);
  }
  const lost = world.secret('lost');
  hints.remember(lost.metadata.uid ?? '', 'gone');
  await world.clock.advance(50);
  assert.deepEqual(
    targets.map((_target, number) => world.shardOf(`s${number}`)),
    targets,
  );
  assert(['a', 'b', 'c'].includes(world.shardOf('lost') ?? ''));
});

test('an owner that has its shard by now loses no controlled object, whatever the watch still says', async () => {
  const { world } = await start('b');
  world.api.holdWatches(secrets);
  world.configMap('c', world.secret('s'), 'a');
  world.api.letWatchesGoOn(secrets);
  // It is given to a shard right after the watch has told that it had none.
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource === 'configmaps',
    meanwhile: () => {
      world.api.holdWatches(secrets);
      world.api.label(secrets, ref('s'), { [assigned]: 'a' });
    },
  });
  await world.clock.advance(5_000);
  assert.deepEqual([world.shardOf('s'), world.childShard('c')], ['a', 'a']);
  assert.deepEqual(world.relabelled(), []);
});

test('labels that somebody else wrote first stay', async () => {
  const { world } = await start('b');
  world.api.fault({
    on: patchOf('secrets', 's'),
    meanwhile: () => world.api.label(secrets, ref('s'), { [assigned]: 'a' }),
  });
  world.secret('s');
  await world.clock.advance(5_000);
  assert.equal(world.shardOf('s'), 'a');
});

test('one object that is refused keeps no other waiting, and is tried again', async () => {
  const { world } = await start('a');
  const heal = world.api.fault({
    on: patchOf('secrets', 'bad'),
    error: new ApiError(403, 'Forbidden', 'no'),
    times: 100,
  });
  world.secret('bad');
  world.secrets(20);
  await world.clock.advance(1_000);
  assert.deepEqual(world.loads(), { '': 1, a: 20 });
  heal();
  await world.clock.advance(6_000);
  assert.equal(world.shardOf('bad'), 'a');
});

test('a list of controlled objects that fails delays the wave, and loses nothing', async () => {
  const { world } = await start('a');
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource === 'configmaps',
    error: connectionError(),
  });
  world.secrets(5);
  await world.clock.advance(1_000);
  assert.deepEqual(world.loads(), { a: 5 });
});

test('it ends with its signal', async () => {
  const { world, ended } = await start('a');
  world.stop.abort();
  await world.clock.advance(100);
  await ended;
});
