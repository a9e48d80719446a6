import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { handedOverAnnotation, sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';

/** A leader, a shard that stays, and the slot `a`, which was just handed over. */
async function heldOff(): Promise<MembershipWorld> {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  world.silence('a');
  world.edit('a', 'default', handOver);
  await world.clock.advance(0);
  return world;
}

const handOver = (lease: Lease): void => {
  lease.metadata.annotations = { ...lease.metadata.annotations, [handedOverAnnotation]: 'true' };
  if (lease.spec) lease.spec.holderIdentity = '';
};

const take = (lease: Lease): void => {
  delete lease.metadata.annotations?.[handedOverAnnotation];
  if (lease.spec) lease.spec.holderIdentity = 'a';
};

test('a slot that is handed over keeps its objects for 30 s, gets nothing, and nothing is levelled', async () => {
  const world = await heldOff();
  await world.clock.advance(29_500);
  assert.equal(world.state('a'), 'expired');
  assert.equal(world.gone('a'), false);
  assert.equal(await world.confirm('a'), false);
  assert.equal(world.membership.isUnsettled(ring), true);
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    ['b'],
  );
  assert.equal(world.lease('a')?.spec?.holderIdentity, '');
});

test('the hold-off ends by a takeover of the Lease, and only then is the slot dead', async () => {
  const world = await heldOff();
  let wasGone: boolean | undefined;
  world.api.fault({
    on: ({ verb, object }) => verb === 'update' && object === 'default/a',
    meanwhile: () => {
      wasGone = world.gone('a');
    },
  });
  await world.clock.advance(31_000);
  assert.equal(wasGone, false);
  assert.equal(world.state('a'), 'dead');
  assert.equal(world.gone('a'), true);
  assert.equal(world.lease('a')?.spec?.holderIdentity, sharderHolder);
  assert.equal(world.lease('a')?.metadata.annotations?.[handedOverAnnotation], undefined);
  assert.equal(world.membership.isUnsettled(ring), false);
});

test('a pod that takes the slot at the last moment has it: the takeover fails', async () => {
  const world = await heldOff();
  let attempts = 0;
  world.api.fault({
    on: ({ verb, object }) => verb === 'update' && object === 'default/a',
    meanwhile: () => {
      attempts += 1;
      world.edit('a', 'default', take);
    },
  });
  await world.clock.advance(31_000);
  assert.equal(attempts, 1);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
  assert.equal(world.state('a'), 'ready');
  assert.equal(world.gone('a'), false);
});

test('a pod that takes the slot within 30 s: nobody ever took it for dead', async () => {
  const world = await heldOff();
  await world.clock.advance(20_000);
  world.edit('a', 'default', take);
  await world.clock.advance(0);
  assert.equal(world.state('a'), 'ready');
  assert.equal(
    world.api.requests.filter(({ verb, object }) => verb === 'update' && object === 'default/a').length,
    0,
  );
});

test('time in which the API server was away is added: no pod could have taken the slot', async () => {
  const world = await heldOff();
  await world.clock.advance(10_000);
  world.api.goDown();
  await world.clock.advance(60_000);
  world.api.comeUp();
  await world.clock.advance(25_000);
  assert.equal(world.gone('a'), false);
  assert.equal(world.lease('a')?.spec?.holderIdentity, '');
  await world.clock.advance(20_000);
  assert.equal(world.gone('a'), true);
});

test('a sharder that starts meanwhile holds off for the whole time', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  world.edit('a', 'default', handOver);
  await world.clock.advance(25_000);
  await world.start();
  await world.clock.advance(25_000);
  assert.equal(world.gone('a'), false);
  await world.clock.advance(10_000);
  assert.equal(world.gone('a'), true);
});

test('a slot whose Lease is deleted while it is held off keeps its objects for a duration', async () => {
  const world = await heldOff();
  world.api.remove(leases, { namespace: 'default', name: 'a' });
  await world.clock.advance(14_000);
  assert.equal(world.gone('a'), false);
  await world.clock.advance(5_000);
  assert.equal(world.gone('a'), true);
});
