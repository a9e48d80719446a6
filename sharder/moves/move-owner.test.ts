import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { ring } from '../membership/membership-fixture.ts';
import { moveOwner } from './move-owner.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';

function start({ shard = 'a', drainTo }: { shard?: string; drainTo?: string } = {}) {
  const world = new RingWorld();
  const owner = world.secret('s', shard, drainTo === undefined ? {} : { [drain]: drainTo });
  const children = ['c0', 'c1'].map((name) => ({
    resource: configMaps,
    object: world.configMap(name, owner, shard),
  }));
  let asked = 0;
  const move = (right: (time: number) => boolean = () => true) =>
    moveOwner(world.moves.writer, {
      ring,
      resource: secrets,
      owner,
      children,
      to: 'b',
      stillRight: async () => right((asked += 1)),
    });
  return { world, move, asked: () => asked };
}

test('the controlled objects are moved first and the owner last, and its drain goes', async () => {
  const { world, move } = start({ drainTo: 'c' });
  assert.equal(await move(), 'done');
  assert.deepEqual(world.relabelled(), ['configmaps/c0', 'configmaps/c1', 'secrets/s']);
  assert.deepEqual(world.labels(secrets, 's'), { [assigned]: 'b' });
  assert.deepEqual([world.childShard('c0'), world.childShard('c1')], ['b', 'b']);
});

test('the decision is asked about before every write, and nothing is written once it does not stand', async () => {
  for (const writes of [0, 1, 2]) {
    const { world, move } = start();
    assert.equal(await move((time) => time <= writes), 'changed');
    assert.equal(world.relabelled().length, writes);
    assert.equal(world.shardOf('s'), 'a');
  }
});

test('a controlled object that is not as it was read leaves the owner where it is', async () => {
  const { world, move } = start();
  world.api.label(configMaps, ref('c0'), { [assigned]: 'x' });
  assert.equal(await move(), 'changed');
  assert.equal(world.shardOf('s'), 'a');
  assert.equal(world.childShard('c0'), 'x');
});

test('so does one whose write failed', async () => {
  const { world, move } = start();
  world.api.fault({ on: patchOf('configmaps', 'c1'), error: connectionError() });
  await assert.rejects(move(), /connection reset/);
  assert.equal(world.shardOf('s'), 'a');
});

test('a controlled object that is gone does not matter, and one that is there already is not written', async () => {
  const { world, move, asked } = start({ shard: 'b' });
  world.api.remove(configMaps, ref('c0'));
  assert.equal(await move(), 'done');
  assert.deepEqual(world.relabelled(), ['secrets/s']);
  assert.equal(asked(), 1);
  const second = start();
  second.world.api.remove(configMaps, ref('c0'));
  assert.equal(await second.move(), 'done');
  assert.equal(second.world.shardOf('s'), 'b');
});

test('an owner whose labels changed meanwhile stays as it is', async () => {
  for (const change of [{ [assigned]: 'x' }, { [drain]: 'x' }, { [assigned]: undefined }]) {
    const { world, move } = start();
    world.api.fault({
      on: patchOf('secrets', 's'),
      meanwhile: () => world.api.label(secrets, ref('s'), change),
    });
    assert.equal(await move(), 'changed');
    assert.notEqual(world.shardOf('s'), 'b');
  }
});

test('a move towards where everything is already writes nothing new', async () => {
  const { world, move } = start({ shard: 'b' });
  const version = world.api.peek(secrets, ref('s'))?.metadata.resourceVersion;
  assert.equal(await move(), 'done');
  assert.equal(world.api.peek(secrets, ref('s'))?.metadata.resourceVersion, version);
});
