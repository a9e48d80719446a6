import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '../kube/resources.ts';
import { connectionError } from '../testing/api-faults.ts';
import { childPatch, ownerPatch, reads, working } from './hand-over-fixture.ts';
import { assigned, ref } from './shard-fixture.ts';

test('what became of a last patch whose answer was lost is read before anything else', async () => {
  const { world, api, clock, told, shards } = await working();
  api.fault({
    on: ownerPatch,
    error: connectionError(),
    effect: true,
    meanwhile: () => api.holdWatches(secrets),
  });
  world.drain('s', 'b');
  await clock.advance(30_000);
  assert.deepEqual(shards(), ['b', 'b']);
  assert.equal(reads(api.requests, 'secrets', 'get'), 1);
  assert.equal(api.writes().filter(ownerPatch).length, 1, 'not handed over twice');
  assert.deepEqual(told('reconcile-begin'), [], 'nor reconciled on the old version in the cache');
});

test('a last patch that had no effect is sent again after that read', async () => {
  const { world, api, clock, shards, told } = await working();
  api.fault({ on: ownerPatch, error: connectionError() });
  world.drain('s', 'b');
  await clock.advance(4_499);
  assert.deepEqual(shards(), ['a', 'b']);
  assert.equal(reads(api.requests, 'secrets', 'get'), 0, 'it may still land');
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['b', 'b']);
  const kinds = api.requests
    .filter((request) => ownerPatch(request) || request.verb === 'get')
    .map(({ verb }) => verb);
  assert.deepEqual(kinds, ['patch', 'get', 'patch']);
  assert.deepEqual(told('reconcile-begin'), []);
});

test('while that read fails, the object is neither reconciled nor handed over', async () => {
  const { world, api, clock, told } = await working();
  api.fault({ on: ownerPatch, error: connectionError() });
  api.fault({ on: ({ verb }) => verb === 'get', error: connectionError(), times: 5 });
  world.drain('s', 'b');
  await clock.advance(4_500);
  world.drain('s', undefined);
  api.label(configMaps, ref('s-sums'), { touched: '1' });
  await clock.advance(5);
  assert.deepEqual(told('reconcile-begin'), []);
  assert.equal(told('hand-over-begin').length, 1);
  await clock.advance(10_000);
  assert(told('reconcile-begin').length > 0, 'the drain is gone, and the shard goes on');
});

test('an object that is gone when its last patch lands is let alone, whatever the cache still holds', async () => {
  const { world, api, clock, told } = await working();
  api.fault({
    on: ownerPatch,
    meanwhile: () => {
      api.holdWatches(secrets);
      api.remove(secrets, ref('s'));
    },
  });
  world.drain('s', 'b');
  await clock.advance(10_000);
  assert.equal(told('hand-over-begin').length, 1);
  world.secret('s', 'a');
  api.letWatchesGoOn(secrets);
  await clock.advance(0);
  assert(told('reconcile-begin').length > 0, 'its successor is another object');
  assert.equal(told('hand-over-begin').length, 1);
});

test('what a late cache still holds of an object that was handed over is ignored', async () => {
  const { world, api, clock, told, shards } = await working();
  world.drain('s', 'b');
  api.fault({ on: ownerPatch, meanwhile: () => api.holdWatches(secrets) });
  await clock.advance(0);
  assert.deepEqual(shards(), ['b', 'b']);
  // The child's own watch goes on and asks for its owner.
  api.label(configMaps, ref('s-sums'), { [assigned]: 'a' });
  await clock.advance(10_000);
  assert.deepEqual(told('reconcile-begin'), []);
  assert.equal(told('hand-over-begin').length, 1);
});

test('an object that comes back at once is worked on again, also when the watch never saw it leave', async () => {
  const { world, api, clock, told } = await working();
  world.drain('s', 'b');
  api.fault({ on: ownerPatch, meanwhile: () => api.holdWatches(secrets) });
  await clock.advance(0);
  api.label(secrets, ref('s'), { [assigned]: 'a' });
  api.breakWatches();
  api.letWatchesGoOn(secrets);
  await clock.advance(5_000);
  assert(told('reconcile-begin').includes('default/s'));
});

test('a shard that may no longer write hands nothing over', async () => {
  const { world, api, clock, shards, error } = await working();
  api.fault({ on: ({ resource }) => resource.startsWith('leases'), error: connectionError(), times: 1_000 });
  await clock.advance(9_000);
  api.fault({ on: childPatch, delayMs: 3_000 });
  world.drain('s', 'b');
  await clock.advance(60_000);
  assert.deepEqual(shards(), ['a', 'b'], 'the last write began in time, the next one would not have');
  assert(error() !== undefined);
});
