import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../kube/resources.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { connectionError } from '../testing/api-faults.ts';
import { ringLabel } from './contract.ts';
import { ref, ring } from './shard-fixture.ts';
import { handedOver, SlotWorld, sorted } from './slot-fixture.ts';

const isLease = (resource: string): boolean => resource.startsWith('leases');

test('two processes that want the same slot: one has it, the other waits', async () => {
  const world = new SlotWorld(1);
  world.left({ number: 0, holder: '', marks: handedOver });
  // Both read it before either writes.
  world.api.fault({
    on: ({ verb, resource }) => verb === 'update' && isLease(resource),
    times: 2,
    delayMs: 200,
  });
  const [a, b] = [world.pod('a'), world.pod('b')];
  await world.clock.advance(200);
  const names = [a.shard.name, b.shard.name];
  assert.deepEqual(sorted(names), ['-', `${ring}-0`]);
  await world.clock.advance(60_000);
  assert.deepEqual([a.shard.name, b.shard.name], names);
  assert.deepEqual([a.error(), b.error()], [undefined, undefined]);
});

test('the slot of a holder that is frozen is taken after its duration, before the sharder would', async () => {
  const world = new SlotWorld(1);
  world.objects(1, 2);
  world.left({ number: 0 });
  const spare = world.pod('spare');
  for (let i = 0; i < 20; i += 1) {
    await world.clock.advance(2_000);
    world.renew(0);
  }
  assert.equal(world.holder(0), 'old');
  await world.clock.advance(14_900);
  assert.equal(world.holder(0), 'old');
  await world.clock.advance(1_000);
  assert.equal(world.holder(0), 'spare-uid');
  assert.equal(new Set(spare.told('reconcile-begin')).size, 2);
});

test('a frozen holder that wakes right before its slot is taken keeps it', async () => {
  const world = new SlotWorld(1);
  world.left({ number: 0 });
  const spare = world.pod('spare');
  world.api.fault({
    on: ({ verb, resource }) => verb === 'update' && isLease(resource),
    meanwhile: () => world.renew(0),
  });
  await world.clock.advance(20_000);
  assert.equal(world.holder(0), 'old');
  assert.equal(spare.shard.name, undefined);
});

test('a holder that is cut off has ended before its slot is taken', async () => {
  const world = new SlotWorld(1);
  world.objects(1, 1);
  world.left({ number: 0, holder: '', marks: handedOver });
  const old = world.pod('old');
  await world.clock.advance(1_000);
  const next = world.pod('next');
  const cutOff = { times: Number.POSITIVE_INFINITY, error: connectionError() };
  world.api.fault({ on: ({ user }) => user === 'old', ...cutOff });
  await world.clock.advance(14_900);
  assert(old.error() instanceof LeaseLostError);
  assert.deepEqual([world.holder(0), next.told('reconcile-begin')], ['old-uid', []]);
  await world.clock.advance(3_000);
  assert.equal(world.holder(0), 'next-uid');
  assert.deepEqual(new Set(next.told('reconcile-begin')), new Set(['default/s-0-0']));
});

test('a slot whose Lease was deleted stays with its holder, who puts it back', async () => {
  const world = new SlotWorld(2);
  world.objects(2, 2);
  const [a, b] = [world.pod('a'), world.pod('b')];
  await world.clock.advance(20_000);
  const spare = world.pod('spare');
  await world.clock.advance(1_000);
  world.api.remove(leases, ref(`${ring}-0`));
  await world.clock.advance(30_000);
  assert.deepEqual(world.holders(3), ['a-uid', 'b-uid', undefined]);
  assert.deepEqual([a.error(), b.error(), spare.shard.name], [undefined, undefined, undefined]);
});

test('a slot whose Lease was deleted and whose holder is gone is made anew after its duration, and settles', async () => {
  const world = new SlotWorld(1);
  world.objects(1, 1);
  const { told } = world.pod('p1');
  await world.clock.advance(14_900);
  assert.equal(world.holder(0), undefined);
  await world.clock.advance(10_000);
  assert.equal(world.holder(0), 'p1-uid');
  assert.deepEqual(told('reconcile-begin'), []);
  await world.clock.advance(5_000);
  assert.deepEqual(new Set(told('reconcile-begin')), new Set(['default/s-0-0']));
});

test('a Lease of another ring under the name of a slot is left alone: the next number is taken', async () => {
  const world = new SlotWorld(2);
  world.api.seed<Lease>(leases, { metadata: { ...ref(`${ring}-0`), labels: { [ringLabel]: 'other' } } });
  world.pod('a');
  world.pod('b');
  await world.clock.advance(5_000);
  assert.deepEqual(sorted(world.holders(3).slice(1)), ['a-uid', 'b-uid']);
  assert.equal(world.lease(`${ring}-0`)?.metadata.labels?.[ringLabel], 'other');
});

test('a pod that is stopped while it claims a slot hands it over at once', async () => {
  const world = new SlotWorld(1);
  world.left({ number: 0, holder: '', marks: handedOver });
  world.api.fault({ on: ({ verb, resource }) => verb === 'update' && isLease(resource), delayMs: 1_000 });
  const { stop, ended, told } = world.pod('p1');
  await world.clock.advance(500);
  stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(ended(), true);
  assert.equal(world.holder(0), '*');
  assert.deepEqual(told('reconcile-begin'), []);
});

test('a pod that is stopped as a spare leaves everything as it is', async () => {
  const world = new SlotWorld(1);
  world.left({ number: 0 });
  const { stop, ended } = world.pod('p1');
  await world.clock.advance(1_000);
  stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(ended(), true);
  assert.equal(world.holder(0), 'old');
});

test('a slot is handed over when it can not be seen whether it is wanted', async () => {
  const world = new SlotWorld(1);
  const { stop } = world.pod('p1');
  await world.clock.advance(1_000);
  world.api.fault({
    on: ({ verb, resource }) => verb === 'get' && resource.startsWith('deployments'),
    error: connectionError(),
  });
  stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(world.holder(0), '*');
});

test('what does not answer is asked again', async () => {
  const world = new SlotWorld(1);
  for (const verb of ['get', 'list', 'create'] as const)
    world.api.fault({ on: (request) => request.verb === verb, error: connectionError() });
  const { shard } = world.pod('p1');
  await world.clock.advance(5_000);
  assert.equal(shard.name, `${ring}-0`);
});
