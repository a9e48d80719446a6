import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { fetchLeftBehind } from './left-behind.ts';
import { assigned, drain, RingWorld, ref } from './ring-fixture.ts';

async function start() {
  const world = await new RingWorld().withShards('a', 'b');
  world.api.requests.length = 0;
  return { world, fetch: () => fetchLeftBehind(world.moves, world.signal) };
}

test('a controlled object with another label than its owner gets that of its owner', async () => {
  const { world, fetch } = await start();
  world.configMap('c', world.secret('s', 'b'), 'a');
  world.configMap('fine', world.secret('t', 'a'), 'a');
  assert.equal(await fetch(), 1);
  assert.equal(world.childShard('c'), 'b');
  assert.deepEqual(world.relabelled(), ['configmaps/c']);
  assert.equal(await fetch(), 0);
});

test('owners on the move are passed over: their shard moves what is theirs', async () => {
  const { world, fetch } = await start();
  world.configMap('c', world.secret('s', 'a', { [drain]: 'b' }), 'b');
  assert.equal(await fetch(), 0);
  assert.deepEqual(world.relabelled(), []);
});

test('a hand-over that began or ended between two lists is not undone', async () => {
  for (const now of [{ [assigned]: 'b', [drain]: undefined }, { [drain]: 'b' }]) {
    const { world, fetch } = await start();
    world.configMap('c', world.secret('s', 'a'), 'a');
    world.api.fault({
      on: ({ verb, resource }) => verb === 'list' && resource === 'configmaps',
      meanwhile: () => {
        world.api.label(configMaps, ref('c'), { [assigned]: 'b' });
        world.api.label(secrets, ref('s'), now);
      },
    });
    await fetch();
    assert.equal(world.childShard('c'), 'b');
    assert.deepEqual(world.relabelled(), []);
  }
});

test('objects of a former owner, of none, or of one without a shard are let alone', async () => {
  const { world, fetch } = await start();
  const owner = world.secret('s', 'b');
  world.configMap('former', { ...owner, metadata: { ...owner.metadata, uid: 'former' } }, 'a');
  world.api.seed(configMaps, { metadata: { ...ref('free'), labels: { [assigned]: 'a' } } });
  world.configMap('waiting', world.secret('t'), 'a');
  world.configMap('elsewhere', world.secret('s', 'b', {}, 'foreign'), 'a');
  assert.equal(await fetch(), 0);
  assert.deepEqual(world.relabelled(), []);
});

test('it costs two lists, however many objects there are, when nothing was left behind', async () => {
  const { world, fetch } = await start();
  for (let number = 0; number < 50; number += 1)
    world.configMap(`c${number}`, world.secret(`s${number}`, 'a'), 'a');
  await fetch();
  const { length } = world.api.requests.filter(({ resource }) => !resource.startsWith('leases'));
  assert.equal(length, 2);
});
