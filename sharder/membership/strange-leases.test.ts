import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import { claimed } from '@controller-sharding/shared/lease/lease-claim.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { LeaseEvents } from './lease-events.ts';
import { Membership } from './membership.ts';
import { MembershipWorld, ring } from './membership-fixture.ts';

test('a Lease that can be no shard is told of once, however often it is renewed', async () => {
  const clock = new FakeClock();
  const client = new MemoryApi(clock);
  const notes: string[] = [];
  const membership = new Membership({ client, clock, logger: silentLogger });
  const events = { record: ({ note }: { note: string }) => void notes.push(note) };
  const leaseEvents = new LeaseEvents({ clock, membership, events, ringExists: () => true });
  const claim = { namespace: 'default', name: 'l'.repeat(64), holder: 'l', durationSeconds: 15 };
  client.seed<Lease>(leases, claimed(undefined, { ...claim, labels: { [ringLabel]: 'ring' } }, clock.now()));
  const stop = new AbortController();
  void membership.run(stop.signal);
  void leaseEvents.run(stop.signal);
  for (let renewal = 0; renewal < 10; renewal += 1) {
    await clock.advance(2_000);
    client.change<Lease>(leases, claim, ({ spec }) => {
      if (spec) spec.renewTime = microTime(clock.now());
    });
  }
  await clock.advance(10_000);
  assert.deepEqual(membership.shards(), []);
  assert.equal(notes.length, 1, notes.join('\n'));
  assert.match(notes[0] ?? '', /no shard: shard name "l+" has 64 characters/);
  stop.abort();
});

test('a Lease that gets a ring, or loses it, is a shard, or none any more', async () => {
  const world = new MembershipWorld();
  world.shard('a');
  await world.start();
  const setRing = async (name: string): Promise<void> => {
    world.edit('a', 'default', ({ metadata }) => {
      metadata.labels = { ...metadata.labels, [ringLabel]: name };
    });
    await world.clock.advance(0);
  };
  await setRing('');
  assert.deepEqual(world.membership.shards(ring), []);
  assert.equal(world.membership.strange().length, 1);
  await setRing(ring);
  assert.equal(world.state('a'), 'ready');
  assert.deepEqual(world.membership.strange(), []);
});
