import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import {
  forcedAnnotation,
  identityAnnotation,
  sharderHolder,
} from '@controller-sharding/shared/sharding/contract.ts';
import { takeOverByForce } from './forced-takeover.ts';
import { Membership } from './membership.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';

async function start(durationSeconds = 15) {
  const world = new MembershipWorld();
  world.shard('a', 'default', durationSeconds);
  world.shard('b');
  await world.start();
  const { api, clock, membership, stop } = world;
  const fence = new WriteFence(clock, 15_000);
  fence.renewed(clock.monotonic());
  const take = (): Promise<boolean> => {
    const view = membership.shards(ring).find(({ shard }) => shard === 'a');
    assert(view);
    return takeOverByForce({ client: api, clock, membership, fence }, view, stop.signal);
  };
  return { world, fence, take };
}

test('the Lease of a shard that still renews it is taken, and nothing of it moves for its full duration', async () => {
  const { world, take } = await start(20);
  assert.equal(await take(), true);
  world.silence('a');
  const lease = world.lease('a');
  assert.equal(lease?.spec?.holderIdentity, sharderHolder);
  assert.equal(lease.spec.leaseDurationSeconds, 40);
  assert.equal(lease.metadata.annotations?.[forcedAnnotation], 'true');
  assert.deepEqual(
    world.membership.usable(ring).map(({ name }) => name),
    ['b'],
  );
  await world.clock.advance(19_000);
  assert.equal(world.state('a'), 'expired');
  assert.equal(world.gone('a'), false);
  assert.equal(world.membership.isUnsettled(ring), true);
  await world.clock.advance(1_500);
  assert.equal(world.state('a'), 'dead');
  assert.equal(world.gone('a'), true);
  assert.equal(world.membership.isUnsettled(ring), false);
});

test('whoever sees the mark later waits a full duration from then on', async () => {
  const { world, take } = await start();
  await take();
  world.silence('a');
  await world.clock.advance(14_000);
  const { api, clock } = world;
  const late = new Membership({ client: api, clock, logger: silentLogger });
  void late.run(world.stop.signal);
  await clock.advance(14_500);
  assert.equal(world.gone('a'), true);
  assert.equal(late.isGivenUp(ring, 'a'), false);
  await clock.advance(1_000);
  assert.equal(late.isGivenUp(ring, 'a'), true);
});

test('a shard that renews in between keeps its Lease', async () => {
  const { world, take } = await start();
  world.api.fault({
    on: ({ verb }) => verb === 'update',
    meanwhile: () => {
      world.edit('a', 'default', ({ spec }) => {
        if (spec) spec.renewTime = microTime(new Date(world.clock.now().getTime() + 1));
      });
    },
  });
  assert.equal(await take(), false);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
  assert.equal(world.state('a'), 'ready');
});

const others: Array<[string, (lease: Lease) => void]> = [
  [
    'of another process',
    ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, [identityAnnotation]: 'another' };
    },
  ],
  [
    'of the next process',
    ({ spec }) => {
      if (spec) spec.acquireTime = microTime(new Date(0));
    },
  ],
  [
    'that was released',
    ({ spec }) => {
      if (spec) spec.holderIdentity = '';
    },
  ],
];
for (const [what, change] of others) {
  test(`a Lease ${what} by now is left alone`, async () => {
    const { world, take } = await start();
    world.silence('a');
    const taking = take();
    // Before the watch can tell.
    world.edit('a', 'default', change);
    assert.equal(await taking, false);
    assert.notEqual(world.lease('a')?.spec?.holderIdentity, sharderHolder);
  });
}

test('one that is deleted by now, too', async () => {
  const { world, take } = await start();
  const taking = take();
  world.deleteLease('a');
  assert.equal(await taking, false);
});

test('a sharder that may no longer lead takes nothing', async () => {
  const { world, fence, take } = await start();
  fence.close();
  await assert.rejects(take());
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
});

test('an ordinary takeover takes the mark off', async () => {
  const world = new MembershipWorld();
  world.announce('a');
  world.edit('a', 'default', ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [forcedAnnotation]: 'true' };
  });
  await world.start();
  await world.clock.advance(19_000);
  const { metadata, spec } = world.api.peek<Lease>(leases, { namespace: 'default', name: 'a' }) ?? {};
  assert.equal(spec?.holderIdentity, sharderHolder);
  assert.equal(metadata?.annotations?.[forcedAnnotation], undefined);
  assert.equal(world.gone('a'), true);
});
