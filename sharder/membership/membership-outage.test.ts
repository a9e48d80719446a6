import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';

const isLeaseRead = ({ verb, resource }: { verb: string; resource: string }): boolean =>
  verb === 'get' && resource.startsWith('leases');

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

test('a list that takes 3 s in a quiet ring does not give silent shards time again and again', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  await world.watch();
  const { clock, api } = world;
  const list = api.list.bind(api);
  api.list = async function* slow(...parameters: Parameters<typeof list>) {
    await clock.sleep(3_000);
    yield* list(...parameters);
  } as typeof list;
  await clock.advance(40_000);
  assert.equal(world.state('a'), 'uncertain');
});
