import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { cordonedAnnotation, pinLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ring } from '../membership/membership-fixture.ts';
import { DrainHints } from './drain-hints.ts';
import { Drains } from './drains.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';

async function start(...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  const hints = new DrainHints();
  const moving = new Set<string>();
  const drains = new Drains(world.moves, hints, [
    {
      seen: (_resource, { metadata }) => void moving.add(metadata.name),
      ended: ({ metadata }) => void moving.delete(metadata.name),
    },
  ]);
  void drains.run(world.signal);
  await world.clock.advance(0);
  return { world, hints, drains, moving };
}

test('objects on the move are counted and told of, also on their way out of the ring, and no others', async () => {
  const { world, drains, moving } = await start('a', 'b');
  world.secret('still', 'a');
  world.secret('moving', 'a', { [drain]: 'b' });
  world.secret('leaving', 'a', { [drain]: '' }, 'foreign');
  world.secret('elsewhere', undefined, { [drain]: 'b' }, 'foreign');
  await world.clock.advance(0);
  assert.equal(drains.count, 2);
  assert.deepEqual([...moving].toSorted(), ['leaving', 'moving']);
  world.api.label(secrets, ref('moving'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(0);
  assert.equal(drains.count, 1);
  assert.deepEqual([...moving], ['leaving']);
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

test('a drain to nobody stays as it is while the object belongs to nobody', async () => {
  const { world, drains } = await start('a', 'b');
  world.secret('s', 'a', { [drain]: '' }, 'foreign');
  world.secret('unknown', 'a', { [drain]: '' }, 'new');
  await world.clock.advance(0);
  await drains.retarget();
  assert.deepEqual(world.relabelled(), []);
});

test('an object that belongs to the ring again stays with its shard, goes to its pin, or to another shard', async () => {
  const { world, drains } = await start('a', 'b');
  world.shard('c');
  world.edit('c', 'default', ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [cordonedAnnotation]: 'true' };
  });
  world.secret('stays', 'a', { [drain]: '' });
  world.secret('pinned', 'a', { [drain]: '', [pinLabel(ring)]: 'b' });
  world.secret('elsewhere', 'c', { [drain]: '' });
  await world.clock.advance(0);
  await drains.retarget();
  assert.equal(world.drainOf('stays'), 'a');
  assert.equal(world.drainOf('pinned'), 'b');
  assert(['a', 'b'].includes(world.drainOf('elsewhere') ?? ''));
});

test('a drain that lost its target is called off where the object can stay', async () => {
  const { world, drains } = await start('a', 'b', 'c');
  for (let number = 0; number < 10; number += 1) world.secret(`s${number}`, 'a', { [drain]: 'gone' });
  await world.clock.advance(0);
  await drains.retarget();
  for (let number = 0; number < 10; number += 1) assert.equal(world.drainOf(`s${number}`), 'a');
});

test('what follows a controller goes where that is, even if that gets nothing new', async () => {
  const world = await new RingWorld().withShards('a', 'b');
  const mains = [world.main, { resource: configMaps, controlled: [] }];
  const scope = { ...world.moves.scope, mains };
  const watcher = { seen: () => undefined, ended: () => undefined };
  const drains = new Drains({ ...world.moves, scope }, new DrainHints(), [watcher]);
  void drains.run(world.signal);
  world.edit('b', 'default', ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [cordonedAnnotation]: 'true' };
  });
  world.configMap('adopted', world.secret('s', 'b'), 'a');
  world.api.label(configMaps, ref('adopted'), { [drain]: 'b' });
  await world.clock.advance(0);
  assert.equal(drains.count, 1);
  await drains.retarget();
  assert.deepEqual(world.relabelled(), []);
});

test('an object that is being deleted moves like any other', async () => {
  const { world, drains } = await start('a', 'b');
  const { metadata } = world.secret('s', 'a', { [drain]: 'gone' });
  world.api.change<KubeObject>(secrets, metadata, (object) => {
    object.metadata.finalizers = ['example.com/held'];
  });
  await world.api.delete(secrets, metadata);
  await world.clock.advance(0);
  await drains.retarget();
  assert.equal(world.drainOf('s'), 'a');
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
