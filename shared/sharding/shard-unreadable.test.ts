import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../kube/errors.ts';
import { SyncTimeoutError } from '../kube/sync-timeout.ts';
import type { ApiRequest } from '../testing/api-faults.ts';
import { ShardWorld } from './shard-fixture.ts';
import { SlotWorld } from './slot-fixture.ts';

const forbidden = (): Error => new ApiError(403, 'Forbidden', 'configmaps is forbidden');
const reads =
  (form: 'first' | 'selected') =>
  ({ verb, resource, labelSelector }: ApiRequest): boolean =>
    (verb === 'list' || verb === 'watch') &&
    resource === 'configmaps' &&
    (form === 'first' || labelSelector !== undefined);

test('a shard that may not read one of its resources claims no name, and ends with an error that names it', async () => {
  const world = new ShardWorld();
  world.api.fault({ on: reads('first'), times: Infinity, error: forbidden() });
  const { shard, error } = world.start({ syncTimeoutMs: 30_000 });
  await world.clock.advance(29_900);
  assert.equal(shard.ready, 'the shard is starting');
  assert.equal(world.lease(), undefined);
  await world.clock.advance(100);
  assert(error() instanceof SyncTimeoutError);
  assert.match(
    String(error()),
    /^SyncTimeoutError: not synced within 30 s: configmaps\. Does the API server/,
  );
  assert.equal(world.lease(), undefined);
  assert.equal(world.clock.pending, 0);
});

test('once it may read them, it claims its name', async () => {
  const world = new ShardWorld();
  const allow = world.api.fault({ on: reads('first'), times: Infinity, error: forbidden() });
  const { shard } = world.start();
  await world.clock.advance(60_000);
  assert.equal(world.lease(), undefined);
  allow();
  await world.clock.advance(10_000);
  assert.equal(shard.ready, true);
  assert.equal(world.lease()?.spec?.holderIdentity, 'a');
});

test('nor is it a spare that a rolling update would take for ready', async () => {
  const world = new SlotWorld(1);
  const first = world.pod('one');
  await world.pass();
  assert.equal(first.shard.ready, true);
  world.api.fault({ on: reads('first'), times: Infinity, error: forbidden() });
  const next = world.pod('two');
  await world.pass();
  assert.equal(next.shard.ready, 'the shard is starting');
});

test('a shard whose caches don’t sync in time gives its name back, and ends with an error', async () => {
  const world = new ShardWorld();
  world.api.fault({ on: reads('selected'), times: Infinity, error: forbidden() });
  const { shard, error, ended } = world.start({ syncTimeoutMs: 30_000 });
  await world.clock.advance(1_000);
  assert.equal(shard.ready, 'the shard is listing');
  assert.equal(world.lease()?.spec?.holderIdentity, 'a');
  await world.clock.advance(30_000);
  assert.equal(ended(), true);
  assert.match(String(error()), /^SyncTimeoutError: not synced within 30 s: configmaps\./);
  assert.equal(world.lease()?.spec?.holderIdentity, '');
  assert.deepEqual(world.api.watches, []);
  assert.equal(world.clock.pending, 0);
});

test('a stop ends the wait for a resource', async () => {
  const world = new ShardWorld();
  world.api.fault({ on: reads('first'), times: Infinity, error: forbidden() });
  const { stop, error, ended } = world.start();
  await world.clock.advance(1_000);
  stop.abort(new Error('stop'));
  await world.clock.advance(0);
  assert.equal(ended(), true);
  assert.match(String(error()), /stop/);
  assert.equal(world.clock.pending, 0);
});
