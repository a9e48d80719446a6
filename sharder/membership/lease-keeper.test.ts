import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';
import { takenOver } from './taken-over.ts';

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

test('a name that was given up in one namespace is its holder’s in another, and the old Lease goes', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.release('a');
  world.shard('a', 'other');
  await world.clock.advance(1_000);
  const { ready, usable } = world.membership.ring(ring);
  assert.deepEqual([ready, usable.map(({ name }) => name)], [['a'], ['a']]);
  assert.equal(world.membership.isGivenUp(ring, 'a'), false);
  // What carries the name is the other one's.
  world.empty = false;
  await world.clock.advance(63_000);
  assert.equal(world.lease('a'), undefined);
  assert.equal(world.lease('a', 'other')?.spec?.holderIdentity, 'a');
  assert.deepEqual(world.membership.ring(ring).ready, ['a']);
});

test('a Lease with the greatest numbers that the API server takes can be taken over', async () => {
  const world = new MembershipWorld();
  const greatest = 2 ** 31 - 1;
  world.announce('a', 'default', greatest);
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.leaseTransitions = greatest;
  });
  const taken = takenOver(world.lease('a') ?? assert.fail(), new Date());
  assert.equal(taken.spec?.leaseTransitions, greatest);
  assert.equal(taken.spec?.leaseDurationSeconds, greatest);
});
