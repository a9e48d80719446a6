import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import { sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';

const isLeaseRead = ({ verb, resource }: { verb: string; resource: string }): boolean =>
  verb === 'get' && resource.startsWith('leases');

test('a shard that goes silent is expired, uncertain, taken over, dead, orphaned, and its Lease deleted', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  assert.deepEqual(world.membership.usable(ring), ['a', 'b']);
  world.silence('a');
  await world.clock.advance(14_000);
  assert.equal(world.state('a'), 'ready');
  await world.clock.advance(1_500);
  assert.equal(world.state('a'), 'expired');
  assert.equal(world.label('a'), 'expired');
  assert.deepEqual(world.membership.usable(ring), ['b']);
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
  assert.equal(world.gone('a'), true, 'its name stays given up');
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
  assert.deepEqual(world.membership.usable(ring), []);
  assert.equal(world.gone('a'), false);
});

test('one name in two namespaces is no usable shard, and given up only when both are', async () => {
  const world = new MembershipWorld();
  world.shard('a', 'one');
  world.shard('a', 'two');
  world.shard('b');
  await world.start();
  assert.deepEqual(world.membership.usable(ring), ['b']);
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

test('an API server that is away for 30 s makes nobody expired, and every Lease has a full duration after it', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  world.announce('b');
  await world.start();
  await world.clock.advance(10_000);
  const writes = world.api.writes().length;
  world.api.goDown();
  await world.clock.advance(30_000);
  world.api.comeUp();
  // The watch comes back later than the first answer.
  for (let second = 0; second < 45; second += 1) {
    await world.clock.advance(1_000);
    assert.equal(world.state('a'), 'ready', `${second} s after the outage`);
    world.renew('a');
    world.renew('b');
  }
  assert.equal(world.api.writes().length, writes, 'and nothing was written because of it');
});

test('nor does a shard die of it that renews only 14 s after the watch is back', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  await world.start();
  world.api.goDown();
  await world.clock.advance(30_000);
  world.api.comeUp();
  const healed = async (): Promise<boolean> => {
    await world.clock.advance(250);
    return world.membership.ageMs < 1_000;
  };
  for (let tries = 0; tries < 200 && !(await healed()); tries += 1) assert.equal(world.state('a'), 'ready');
  await world.clock.advance(13_000);
  assert.equal(world.state('a'), 'ready');
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
});

test('a broken watch alone makes nobody expired, though reads go on', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  const untilHealed = world.api.fault({
    on: ({ verb }) => verb === 'watch',
    error: new Error('no'),
    times: 1_000,
  });
  world.api.breakWatches();
  await world.clock.advance(40_000);
  assert.equal(world.state('a'), 'ready');
  untilHealed();
  await world.clock.advance(60_000);
  assert.equal(world.state('a'), 'ready');
  assert.deepEqual(
    world.api.writes().filter(({ verb }) => verb === 'update'),
    [],
  );
});

test('a pause of the process makes nobody expired', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  await world.start();
  await world.clock.advance(5_000);
  world.freeze(60_000);
  await world.clock.advance(1_000);
  assert.equal(world.state('a'), 'ready');
  await world.clock.advance(13_000);
  assert.equal(world.state('a'), 'ready');
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
  await world.clock.advance(6_000);
  assert.equal(world.state('a'), 'dead', 'but time counts again');
});

test('a quiet ring is asked after, so that the view stays young', async () => {
  const world = new MembershipWorld();
  world.announce('a', 'default', 3_600);
  await world.start();
  for (let second = 0; second < 30; second += 1) {
    await world.clock.advance(1_000);
    assert(world.membership.ageMs <= 3_500);
  }
  assert.equal(world.state('a'), 'ready');
});

test('a deleted Lease gives its shard one duration to put it back', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  world.deleteLease('a');
  await world.clock.advance(14_000);
  assert.equal(world.gone('a'), false);
  assert.deepEqual(world.membership.usable(ring), ['b']);
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
  assert.equal(world.gone('ghost-10000'), true, 'the last is known');
  assert.equal(world.gone('ghost-0'), false, 'the first counts anew');
  await world.clock.advance(16_000);
  assert.equal(world.gone('ghost-0'), true);
});

test('what is written because a shard is dead is based on a look of at most 5 s ago, else on one made now', async () => {
  const world = new MembershipWorld();
  world.shard('b');
  world.shard('a');
  await world.watch();
  world.release('a');
  await world.clock.advance(6_000);
  world.api.requests.length = 0;
  assert.equal(await world.confirm('a'), true);
  assert.equal(world.api.requests.filter(isLeaseRead).length, 0, 'the watch is the present');
  // The watch is cut off, and the shard comes back.
  world.api.fault({
    on: ({ verb }) => verb === 'watch' || verb === 'list',
    error: new Error('cut off'),
    times: 1_000,
  });
  world.api.breakWatches();
  await world.clock.advance(1_000);
  assert.equal(await world.confirm('a'), true);
  assert.equal(world.api.requests.filter(isLeaseRead).length, 1);
  assert.equal(await world.confirm('a'), true);
  assert.equal(world.api.requests.filter(isLeaseRead).length, 1, 'a read made just now serves for 5 s');
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = 'a';
  });
  await world.clock.advance(6_000);
  assert.equal(world.gone('a'), true, 'which this view has not heard of');
  assert.equal(await world.confirm('a'), false);
  assert.equal(world.gone('a'), false);
});

test('a watch that comes back is not the present before everything was read', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.release('a');
  await world.clock.advance(1_000);
  world.api.holdWatches(leases);
  world.api.breakWatches();
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource.startsWith('leases'),
    error: new Error('no'),
    times: 1_000,
  });
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = 'a';
  });
  await world.clock.advance(30_000);
  assert.equal(world.gone('a'), true, 'the watch is open again, and has not caught up');
  assert.equal(await world.confirm('a'), false);
});

test('an answer that is older than what the watch told is not believed', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  const old = world.lease('a');
  assert(old);
  world.release('a');
  await world.clock.advance(0);
  world.membership.observe(old, world.clock.monotonic());
  assert.equal(world.state('a'), 'dead');
});

test('a Lease that was deleted before its answer arrived does not stay', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  world.shard('b');
  await world.start();
  const old = world.lease('a');
  assert(old);
  world.deleteLease('a');
  await world.clock.advance(0);
  world.membership.observe(old, world.clock.monotonic());
  await world.clock.advance(6_000);
  assert.equal(world.state('a'), undefined);
  await world.clock.advance(60_000);
  assert.equal(world.gone('a'), true);
  assert.equal(world.membership.isUnsettled(ring), false);
});

test('a Lease that was put back is not taken away by the end of its predecessor', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  world.api.holdWatches(leases);
  world.deleteLease('a');
  world.shard('a');
  const fresh = world.lease('a');
  assert(fresh);
  world.membership.observe(fresh, world.clock.monotonic());
  world.api.letWatchesGoOn(leases);
  const states: Array<string | undefined> = [];
  world.membership.onChange(() => states.push(world.state('a')));
  await world.clock.advance(5_000);
  assert.equal(states.includes(undefined), false);
  assert.equal(world.state('a'), 'ready');
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
