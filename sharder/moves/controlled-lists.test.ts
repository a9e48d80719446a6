import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces as clusterScoped, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { listControlled } from './controlled-lists.ts';
import { RingWorld } from './ring-fixture.ts';

const lists = (world: RingWorld): string[] =>
  world.api.requests.filter(({ verb }) => verb === 'list').map(({ object }) => object);

test('controlled objects are found by one list per namespace, not per owner, and grouped by owner', async () => {
  const world = new RingWorld();
  const owners = [
    world.secret('s0', 'a'),
    world.secret('s1', 'a'),
    world.secret('s0', 'a', {}, 'other'),
    world.secret('childless', 'a'),
  ];
  for (const owner of owners.slice(0, 3)) world.configMap(`c-${owner.metadata.name}`, owner, 'a');
  world.configMap('without-label', owners[0] ?? { metadata: { name: '' } });
  world.configMap('of-another', world.secret('s2', 'a'), 'a');
  const found = await listControlled(world.api, world.moves.scope, secrets, owners, world.signal);
  assert.deepEqual(lists(world), ['default', 'other']);
  assert.deepEqual(
    owners.map(({ metadata }) => found.get(metadata.uid ?? '')?.map(({ object }) => object.metadata.name)),
    [['c-s0'], ['c-s1'], ['c-s0'], undefined],
  );
  assert.equal(found.size, 3);
});

test('those of cluster-scoped owners are found by one list in all', async () => {
  const world = new RingWorld();
  const owners = ['one', 'two'].map((name) => world.api.seed(clusterScoped, { metadata: { name } }));
  world.main.resource = clusterScoped;
  await listControlled(world.api, world.moves.scope, clusterScoped, owners, world.signal);
  assert.deepEqual(lists(world), ['']);
});
