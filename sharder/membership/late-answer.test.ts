import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { MembershipWorld } from './membership-fixture.ts';

test('a late answer about a Lease that was made again since doesn’t make its shard look dead', async () => {
  const world = new MembershipWorld();
  const ref = { namespace: 'default', name: 'a' };
  world.shard('a');
  await world.watch();
  world.release('a');
  await world.clock.advance(100);
  const old = structuredClone(world.api.peek<Lease>(leases, ref));
  assert.ok(old);
  await world.api.delete(leases, ref);
  await world.clock.advance(100);
  world.shard('a');
  await world.clock.advance(100);
  world.membership.observe(old, world.clock.monotonic());
  assert.equal(world.state('a'), 'ready');
  assert.equal(await world.confirm('a'), false);
});
