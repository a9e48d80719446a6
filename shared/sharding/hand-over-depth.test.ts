import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, namespaces, pods, secrets } from '../kube/resources.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { reads } from './hand-over-fixture.ts';
import {
  assigned,
  controlledBy,
  drain,
  gate,
  ref,
  ShardWorld,
  type WorldShardOptions,
} from './shard-fixture.ts';

/** Shard `a` with Secrets, which control ConfigMaps, which control Pods; a reconcile makes what is missing of these. */
async function start(options: Partial<WorldShardOptions> = {}) {
  const world = new ShardWorld();
  const running = world.start({
    controlled: [configMaps, pods],
    reconcile: async ({ object, writer, controlled }) => {
      const { name } = object.metadata;
      const [middle] = controlled(configMaps);
      const made = middle ?? (await writer.create(configMaps, controlledBy(object, `${name}-c`)));
      const below = { ...made, apiVersion: 'v1', kind: 'ConfigMap' };
      if (controlled(pods).length === 0) await writer.create(pods, controlledBy(below, `${name}-p`));
    },
    ...options,
  });
  await world.clock.advance(0);
  const labels = (): Array<string | undefined> => [
    ...world.shards('s', 's-c'),
    world.labels(pods, 's-p')?.[assigned],
  ];
  return { world, ...running, api: world.api, clock: world.clock, labels };
}

/** Seeds what an object controls, under the label of shard `a`. */
const seed = (world: ShardWorld, resource: Resource, name: string, owner: KubeObject): KubeObject =>
  world.api.seed(resource, controlledBy(owner, name, { [assigned]: 'a' }));

test('what a reconcile creates for a controlled object has the shard label from the start', async () => {
  const { world, api, clock, labels } = await start();
  world.secret('s', 'a');
  await clock.advance(100);
  assert.deepEqual(labels(), ['a', 'a', 'a']);
  const bodies = api.writes('create').filter(({ resource }) => resource === 'pods');
  assert.equal(bodies.length, 1);
  assert.equal(api.writes('patch').length, 0, 'nobody had to add it');
});

test('a hand-over takes the whole tree from the cache, the owner last', async () => {
  const { world, api, clock, labels } = await start();
  world.secret('s', 'a');
  await clock.advance(100);
  api.requests.length = 0;
  world.drain('s', 'b');
  await clock.advance(0);
  assert.deepEqual(labels(), ['b', 'b', 'b']);
  assert.deepEqual(
    api.writes().map(({ object }) => object),
    ['default/s-c', 'default/s-p', 'default/s'],
  );
  assert.equal(reads(api.requests, 'pods', 'list'), 0);
});

test('a tree of which no cache knows anything yet goes along', async () => {
  const { world, api, clock, labels } = await start();
  api.holdWatches(configMaps);
  api.holdWatches(pods);
  world.secret('s', 'a');
  await clock.advance(0);
  world.drain('s', 'b');
  await clock.advance(0);
  assert.deepEqual(labels(), ['b', 'b', 'b']);
});

test('a later attempt reads the whole tree live, with one list for each resource', async () => {
  const { world, api, clock, labels } = await start();
  world.secret('s', 'a');
  await clock.advance(100);
  api.requests.length = 0;
  api.fault({
    on: ({ verb, resource }) => verb === 'patch' && resource === 'pods',
    meanwhile: () => api.label(pods, ref('s-p'), { user: 'was-here' }),
  });
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(labels(), ['b', 'b', 'b']);
  assert.deepEqual([reads(api.requests, 'configmaps', 'list'), reads(api.requests, 'pods', 'list')], [1, 1]);
});

test('a change deep in the tree reconciles the owner at its top', async () => {
  const { world, api, clock, told } = await start();
  world.secret('s', 'a');
  await clock.advance(100);
  const before = told('reconcile-begin').length;
  api.label(pods, ref('s-p'), { edited: 'yes' });
  await clock.advance(0);
  assert.equal(told('reconcile-begin').length, before + 1);
  api.remove(pods, ref('s-p'));
  await clock.advance(0);
  assert(api.peek(pods, ref('s-p')), 'put back');
});

test('a cluster-scoped owner takes along what it controls in any namespace', async () => {
  const { world, api, clock } = await start({ main: namespaces, reconcile: () => Promise.resolve() });
  const owner = api.seed<KubeObject>(namespaces, { metadata: { name: 'n', labels: { [assigned]: 'a' } } });
  for (const namespace of ['one', 'two']) {
    const { metadata } = controlledBy(owner, 'c', { [assigned]: 'a' });
    const middle = api.seed<KubeObject>(configMaps, { metadata: { ...metadata, namespace } });
    const below = controlledBy(middle, 'p', { [assigned]: 'a' });
    api.seed(pods, { metadata: { ...below.metadata, namespace } });
  }
  const unseen = api.seed<KubeObject>(configMaps, controlledBy(owner, 'with-b', { [assigned]: 'b' }));
  await clock.advance(0);
  const shardsOf = (resource: Resource): Array<string | undefined> =>
    api.all<KubeObject>(resource).map(({ metadata }) => metadata.labels?.[assigned]);
  for (const target of ['b', 'c']) {
    api.label(namespaces, { name: 'n' }, { [assigned]: 'a', [drain]: target });
    await clock.advance(1_000);
    assert.equal(api.peek<KubeObject>(namespaces, { name: 'n' })?.metadata.labels?.[assigned], target);
    if (target === 'b')
      assert.deepEqual([...shardsOf(configMaps), ...shardsOf(pods)], ['b', 'b', 'b', 'b', 'b']);
  }
  assert(unseen.metadata.uid);
  assert.deepEqual(
    world.labels(configMaps, 'with-b'),
    { [assigned]: 'c' },
    'read live, since it came with a drain',
  );
});

test('owner references in a circle take nothing else along, and end', async () => {
  const { world, api, clock } = await start({ reconcile: () => Promise.resolve() });
  const owner = world.secret('s', 'a');
  const one = seed(world, configMaps, 'one', owner);
  const two = seed(world, configMaps, 'two', one);
  const circle = seed(world, configMaps, 'x', owner);
  const other = seed(world, configMaps, 'y', circle);
  api.change<KubeObject>(configMaps, ref('x'), (object) => {
    object.metadata.ownerReferences = controlledBy(other, 'x').metadata.ownerReferences ?? [];
  });
  await clock.advance(0);
  for (const target of ['b', 'c']) {
    api.label(secrets, ref('s'), { [assigned]: 'a', [drain]: target });
    await clock.advance(1_000);
    const labels = ['s'].map((name) => world.labels(secrets, name)?.[assigned]);
    assert.deepEqual(labels, [target]);
  }
  assert.deepEqual(
    [world.labels(configMaps, 'one'), world.labels(configMaps, 'two')],
    [{ [assigned]: 'c' }, { [assigned]: 'c' }],
  );
  assert.deepEqual(world.labels(configMaps, 'x'), { [assigned]: 'a' });
  assert(two.metadata.uid);
});

test('a controlled object that is a main object, too, goes with its owner once nothing is under way for it', async () => {
  const ends = gate();
  const world = new ShardWorld();
  const { told } = world.start({
    controlled: [secrets, configMaps],
    reconcile: ({ object }) => (object.metadata.name === 'child' ? ends.promise : Promise.resolve()),
  });
  await world.clock.advance(0);
  seed(world, configMaps, 'below', seed(world, secrets, 'child', world.secret('s', 'a')));
  await world.clock.advance(100);
  world.drain('s', 'b');
  await world.clock.advance(10_000);
  const labels = (): unknown[] => ['s', 'child'].map((name) => world.labels(secrets, name)?.[assigned]);
  assert.deepEqual(labels(), ['a', 'a']);
  world.api.holdWatches(secrets);
  ends.resolve();
  await world.clock.advance(60_000);
  assert.deepEqual(labels(), ['b', 'b']);
  const before = told('reconcile-begin').length;
  // The watch of what is below goes on, and asks for what controls it.
  world.api.label(configMaps, ref('below'), { [assigned]: 'a' });
  await world.clock.advance(60_000);
  assert.equal(told('reconcile-begin').length, before, 'whatever the cache still holds');
});

test('a drain label that somebody put on a controlled object goes with the hand-over', async () => {
  const { world, api, clock } = await start();
  world.secret('s', 'a');
  await clock.advance(100);
  api.label(configMaps, ref('s-c'), { [drain]: 'x' });
  await clock.advance(100);
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(world.labels(configMaps, 's-c'), { [assigned]: 'b' });
});
