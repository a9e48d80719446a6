import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Informer } from '../kube/informer.ts';
import { configMaps, pods, secrets } from '../kube/resources.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { silentLogger } from '../runtime/logger.ts';
import { ControlledObjects } from './controlled-objects.ts';
import { assigned, controlledBy, ref, ring, ShardWorld } from './shard-fixture.ts';

async function start() {
  const world = new ShardWorld();
  const { api, clock } = world;
  const stop = new AbortController();
  const cache = (resource: Resource) => ({
    resource,
    informer: new Informer<KubeObject>({ client: api, clock, resource, form: 'full', logger: silentLogger }),
  });
  const informers = [configMaps, pods].map(cache);
  const mains = [cache(secrets)];
  const objects = new ControlledObjects({ client: api, ring, mains, owned: informers });
  for (const { informer } of informers) void informer.run(stop.signal);
  await clock.advance(0);
  const owner = world.secret('s', 'a');
  const names = (): string[] =>
    objects
      .cached(owner.metadata.uid ?? '')
      .map(({ object }) => object.metadata.name)
      .toSorted();
  const seed = (resource: Resource, name: string, above: KubeObject): KubeObject =>
    api.seed(resource, controlledBy(above, name, { [assigned]: 'a' }));
  return { api, clock, objects, owner, names, seed };
}

test('what was created counts until a cache has it, at any depth, and is forgotten then', async () => {
  const { api, clock, objects, owner, names, seed } = await start();
  api.holdWatches(configMaps);
  api.holdWatches(pods);
  const middle = seed(configMaps, 'c', owner);
  objects.created(owner, configMaps, middle);
  objects.created(owner, pods, seed(pods, 'p', middle));
  objects.created(owner, pods, seed(pods, 'stranger', { ...middle, metadata: { name: 'x', uid: 'x' } }));
  assert.deepEqual(names(), ['c', 'p']);
  assert.equal(objects.size, 2);
  api.letWatchesGoOn(pods);
  await clock.advance(0);
  assert.equal(objects.size, 1);
  assert.deepEqual(names(), ['c', 'p'], 'the one in a cache, the other not');
  api.letWatchesGoOn(configMaps);
  await clock.advance(0);
  assert.equal(objects.size, 0);
  assert.deepEqual(names(), ['c', 'p']);
});

test('one that was created again is not forgotten because of the end of its predecessor', async () => {
  const { api, clock, objects, owner, names, seed } = await start();
  seed(configMaps, 'c', owner);
  await clock.advance(0);
  api.delayWatches(() => 10);
  api.remove(configMaps, ref('c'));
  await clock.advance(5);
  const again = seed(configMaps, 'c', owner);
  objects.created(owner, configMaps, again);
  await clock.advance(6);
  assert.deepEqual(names(), ['c'], 'the cache has lost it');
  await clock.advance(10);
  assert.deepEqual(names(), ['c']);
  assert.equal(objects.size, 0);
});

test('nothing is kept for an owner that is forgotten', async () => {
  const { api, objects, owner, names, seed } = await start();
  api.holdWatches(configMaps);
  for (const name of ['c', 'd']) objects.created(owner, configMaps, seed(configMaps, name, owner));
  objects.forget(owner.metadata.uid ?? '');
  assert.equal(objects.size, 0);
  assert.deepEqual(names(), []);
});

test('the main object at the top is found through objects that no cache has yet', async () => {
  const { api, objects, owner, seed } = await start();
  api.holdWatches(configMaps);
  const middle = seed(configMaps, 'c', owner);
  const below = seed(pods, 'p', middle);
  assert.equal(objects.mainKey(middle, secrets), 'default/s');
  assert.equal(objects.mainKey(below, secrets), undefined, 'its controller is not known');
  objects.created(owner, configMaps, middle);
  assert.equal(objects.mainKey(below, secrets), 'default/s');
  assert.equal(objects.mainKey({ metadata: { name: 'free' } }, secrets), undefined);
});

test('in a circle of controllers everything is found once, without the one that was asked about', async () => {
  const { api, clock, objects, owner, seed } = await start();
  const one = seed(configMaps, 'one', owner);
  const two = seed(configMaps, 'two', one);
  api.change<KubeObject>(configMaps, ref('one'), ({ metadata }) => {
    metadata.ownerReferences = controlledBy(two, 'one').metadata.ownerReferences ?? [];
  });
  await clock.advance(0);
  const cached = objects.cached(one.metadata.uid ?? '').map(({ object }) => object.metadata.name);
  assert.deepEqual(cached, ['two']);
  assert.equal(objects.mainKey(two, secrets), undefined);
});
