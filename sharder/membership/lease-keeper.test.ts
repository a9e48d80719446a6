import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { MembershipWorld } from './membership-fixture.ts';

test('the state of each shard stands on its Lease, written once', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  await world.clock.advance(60_000);
  assert.deepEqual([world.label('a'), world.label('b')], ['ready', 'ready']);
  assert.equal(world.api.writes().length, 2);
});

test('a label that somebody else changed is put right, and is never believed', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.edit('a', 'default', ({ metadata }) => {
    metadata.labels = { ...metadata.labels, 'alpha.sharding.timebertt.dev/state': 'dead' };
  });
  await world.clock.advance(500);
  assert.equal(world.state('a'), 'ready');
  assert.equal(world.label('a'), 'ready');
});

test('a Lease whose ring does not exist gets its state label and nothing else', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.rings = new Set();
  await world.start();
  world.silence('a');
  await world.clock.advance(120_000);
  assert.equal(world.label('a'), 'uncertain');
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
});

test('an orphaned Lease stays as long as something carries its name', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.empty = false;
  world.release('a');
  await world.clock.advance(90_000);
  assert.equal(world.label('a'), 'orphaned');
  world.empty = true;
  await world.clock.advance(11_000);
  assert.equal(world.lease('a'), undefined);
});

test('an orphaned Lease that is taken again while it is looked at is not deleted', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.release('a');
  world.api.fault({
    on: ({ verb }) => verb === 'delete',
    meanwhile: () =>
      world.edit('a', 'default', ({ spec }) => {
        if (spec) spec.holderIdentity = 'a';
      }),
  });
  await world.clock.advance(63_000);
  assert.equal(world.api.writes('delete').length, 1);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
  assert.equal(world.state('a'), 'ready');
});

test('a takeover that fails is tried again, and one whose answer was lost is known by the watch', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.silence('a');
  world.api.fault({ on: ({ verb }) => verb === 'update', error: connectionError() });
  world.api.fault({ on: ({ verb }) => verb === 'update', error: connectionError(), effect: true });
  await world.clock.advance(25_000);
  assert.equal(world.state('a'), 'dead');
  assert.equal(world.api.writes('update').length, 2);
  assert.equal(world.lease('a')?.spec?.leaseTransitions, 1);
});

test('one Lease that can not be written holds up no other', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  world.silence('a');
  world.silence('b');
  world.api.fault({
    on: ({ verb, object }) => verb === 'update' && object === 'default/a',
    delayMs: 60_000,
    times: 100,
  });
  await world.clock.advance(20_000);
  assert.equal(world.state('b'), 'dead');
  assert.equal(world.state('a'), 'uncertain');
});

test('at the stop nothing more is written', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.silence('a');
  world.stop.abort();
  const writes = world.api.writes().length;
  await world.clock.advance(60_000);
  assert.equal(world.api.writes().length, writes);
  assert(world.api.peek(leases, { namespace: 'default', name: 'a' }));
});
