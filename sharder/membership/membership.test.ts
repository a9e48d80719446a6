import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import {
  cordonedAnnotation,
  drainAnnotation,
  sharderHolder,
  weightAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';

test('a shard that goes silent is expired, uncertain, taken over, dead, orphaned, and its Lease deleted', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    ['a', 'b'],
  );
  world.silence('a');
  await world.clock.advance(5_000);
  assert.equal(world.membership.isUnsettled(ring), false);
  await world.clock.advance(9_000);
  assert.equal(world.state('a'), 'ready');
  assert.equal(world.membership.isUnsettled(ring), true, 'it is late');
  await world.clock.advance(1_500);
  assert.equal(world.state('a'), 'expired');
  assert.equal(world.label('a'), 'expired');
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    ['b'],
  );
  assert.equal(world.gone('a'), false, 'an expired shard keeps its objects');
  assert.equal(world.membership.isUnsettled(ring), true);
  await world.clock.advance(3_500);
  assert.equal(world.state('a'), 'dead');
  assert.equal(world.gone('a'), true);
  assert.equal(world.membership.isUnsettled(ring), false);
  const { spec } = world.lease('a') ?? {};
  assert.equal(spec?.holderIdentity, sharderHolder);
  assert.equal(spec?.leaseDurationSeconds, 30);
  assert.equal(spec?.leaseTransitions, 1);
  await world.clock.advance(56_000);
  assert.equal(world.label('a'), 'dead');
  await world.clock.advance(6_000);
  assert.equal(world.lease('a'), undefined);
  // Who reads only now that there is no Lease can't know whether it was taken again before it was deleted.
  assert.equal(world.gone('a'), false);
  await world.clock.advance(31_000);
  assert.equal(world.gone('a'), true);
  assert.equal(world.label('b'), 'ready');
});

test('a released shard is dead at once', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.release('a');
  await world.clock.advance(0);
  assert.equal(world.state('a'), 'dead');
  assert.equal(world.gone('a'), true);
  assert.equal(await world.confirm('a'), true);
});

test('a shard that renews between the look and the takeover keeps its Lease', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.silence('a');
  let attempts = 0;
  world.api.fault({
    on: ({ verb }) => verb === 'update',
    meanwhile: () => {
      attempts += 1;
      world.renew('a');
    },
  });
  await world.clock.advance(20_000);
  assert.equal(attempts, 1);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
  assert.equal(world.state('a'), 'ready');
});

test('only holder, renewTime and transitions count as life, not labels or annotations', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.watch();
  world.silence('a');
  for (let second = 0; second < 16; second += 1) {
    await world.clock.advance(1_000);
    world.edit('a', 'default', ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, touched: String(second) };
    });
  }
  assert.equal(world.state('a'), 'expired');
});

test('times that stand in a Lease are not compared with any clock', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.renewTime = microTime(new Date('2001-01-01T00:00:00Z'));
  });
  await world.start();
  assert.equal(world.state('a'), 'ready');
  await world.clock.advance(13_000);
  assert.equal(world.state('a'), 'ready');
});

test('a Lease held by somebody else than its shard gets no objects and loses none', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = 'x';
  });
  await world.start();
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    [],
  );
  assert.equal(world.gone('a'), false);
  assert.equal(world.membership.isUnsettled(ring), false, 'the others are levelled all the same');
});

test('one name in two namespaces is no usable shard, and given up only when both are', async () => {
  const world = new MembershipWorld();
  world.shard('a', 'one');
  world.shard('a', 'two');
  world.shard('b');
  await world.start();
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    ['b'],
  );
  world.release('a', 'one');
  await world.clock.advance(0);
  assert.equal(world.gone('a'), false);
  world.release('a', 'two');
  await world.clock.advance(0);
  assert.equal(world.gone('a'), true);
});

test('a Lease whose name fits no label, or without a ring, is no shard', async () => {
  const world = new MembershipWorld();
  const long = 'x'.repeat(64);
  world.announce(long);
  world.api.seed<Lease>(leases, {
    metadata: { namespace: 'default', name: 'other' },
    spec: { holderIdentity: 'other' },
  });
  await world.start();
  assert.deepEqual(world.membership.shards(), []);
});

test('a deleted Lease gives its shard one duration to put it back', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  world.deleteLease('a');
  await world.clock.advance(14_000);
  assert.equal(world.gone('a'), false);
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    ['b'],
  );
  await world.clock.advance(1_500);
  assert.equal(world.gone('a'), true);
  assert.equal(await world.confirm('a'), true);
  world.shard('a');
  await world.clock.advance(0);
  assert.equal(world.gone('a'), false);
  assert.equal(world.state('a'), 'ready');
});

test('a shard that puts its Lease back in time loses nothing', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.deleteLease('a');
  await world.clock.advance(9_000);
  world.shard('a');
  for (let second = 0; second < 30; second += 1) {
    await world.clock.advance(1_000);
    assert.equal(world.gone('a'), false);
  }
});

test('a name of which there is no Lease is given up after one duration, counted while the watch is healthy', async () => {
  const world = new MembershipWorld();
  world.shard('b');
  await world.start();
  let changes = 0;
  assert.equal(world.gone('ghost'), false);
  world.membership.onChange(() => {
    changes += 1;
  });
  await world.clock.advance(10_000);
  world.api.goDown();
  await world.clock.advance(30_000);
  assert.equal(world.gone('ghost'), false);
  world.api.comeUp();
  await world.clock.advance(14_000);
  assert.equal(world.gone('ghost'), false);
  const before = changes;
  await world.clock.advance(35_000);
  assert.equal(world.gone('ghost'), true);
  assert(changes > before, 'and the ring is told');
});

test('names that nobody knows do not pile up', async () => {
  const world = new MembershipWorld();
  await world.start();
  for (let number = 0; number < 10_001; number += 1) world.gone(`ghost-${number}`);
  await world.clock.advance(16_000);
  assert.equal(world.gone('ghost-0'), true);
  assert.equal(world.gone('ghost-10000'), false, 'the last has to wait for its time to begin');
  world.membership.forgetAbsent(ring, 'ghost-0');
  assert.equal(world.gone('ghost-10000'), false);
  await world.clock.advance(16_000);
  assert.equal(world.gone('ghost-10000'), true);
});

test('a standby that becomes the leader goes on with what it observed', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.watch();
  world.silence('a');
  await world.clock.advance(19_000);
  assert.equal(world.state('a'), 'uncertain');
  assert.equal(world.label('a'), undefined, 'a standby writes nothing');
  await world.lead();
  assert.equal(world.state('a'), 'dead', 'no new duration for it');
});

test('a shard says its weight; one that is cordoned or drained gets nothing new and stays ready', async () => {
  const world = new MembershipWorld();
  for (const name of ['a', 'b', 'c', 'd']) world.shard(name);
  await world.start();
  let changes = 0;
  world.membership.onChange(() => {
    changes += 1;
  });
  const annotate = (name: string, annotation: string, value: string): void =>
    world.edit(name, 'default', ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [annotation]: value };
    });
  annotate('a', weightAnnotation, '2.5');
  annotate('b', cordonedAnnotation, 'true');
  annotate('c', drainAnnotation, 'true');
  await world.clock.advance(0);
  assert.equal(changes, 3);
  assert.deepEqual(world.membership.usable(ring), [
    { name: 'a', weight: 2.5 },
    { name: 'd', weight: 1 },
  ]);
  assert.deepEqual(world.membership.ring(ring).ready, ['a', 'b', 'c', 'd']);
  annotate('b', cordonedAnnotation, 'false');
  await world.clock.advance(0);
  assert.ok(world.membership.usable(ring).some(({ name }) => name === 'b'));
  assert.deepEqual([...world.membership.ring(ring).pinnable], ['a', 'b', 'd']);
  assert.deepEqual(world.membership.ring(ring).draining, ['c']);
});
