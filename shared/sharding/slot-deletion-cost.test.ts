import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../kube/errors.ts';
import { pods } from '../kube/resources.ts';
import { timeoutError } from '../testing/api-faults.ts';
import { ref, ring } from './shard-fixture.ts';
import { deletionCostAnnotation } from './slot-deletion-cost.ts';
import { SlotWorld } from './slot-fixture.ts';

const costOf = (world: SlotWorld, pod: string): string | undefined =>
  world.api.peek(pods, ref(pod))?.metadata.annotations?.[deletionCostAnnotation];

test('in a scale-in, spares go first, then the highest slot', async () => {
  const world = new SlotWorld(3);
  for (const name of ['p1', 'p2', 'p3', 'p4']) {
    world.pod(name);
    await world.pass();
  }
  assert.deepEqual(world.holders(3), ['p1-uid', 'p2-uid', 'p3-uid']);
  assert.deepEqual(
    ['p1', 'p2', 'p3', 'p4'].map((name) => costOf(world, name)),
    ['0', '-1', '-2', '-10000'],
  );
});

test('a spare that takes a slot stands in its order then', async () => {
  const world = new SlotWorld(2);
  world.pod('p1');
  await world.pass();
  const old = world.pod('p2');
  await world.pass();
  world.pod('next');
  await world.pass();
  assert.equal(costOf(world, 'next'), '-10000');
  old.stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(world.holder(1), 'next-uid');
  assert.equal(costOf(world, 'next'), '-1');
});

test('a StatefulSet has an order of its own', async () => {
  const world = new SlotWorld(2, 'StatefulSet');
  world.pod('operator-1');
  await world.pass();
  assert.equal(costOf(world, 'operator-1'), undefined);
});

for (const [what, error] of [
  ['without the right to patch pods', new ApiError(403, 'Forbidden', 'no such right')],
  ['when the API server does not answer in time', timeoutError()],
] as const) {
  test(`${what} it works all the same`, async () => {
    const world = new SlotWorld(1);
    world.api.fault({ on: ({ verb, resource }) => verb === 'patch' && resource === 'pods', error });
    const { shard, stop, ended } = world.pod('p1');
    await world.pass();
    assert.equal(shard.name, `${ring}-0`);
    assert.equal(shard.ready, true);
    assert.equal(costOf(world, 'p1'), undefined);
    stop.abort(new Error('stop'));
    await world.pass();
    assert.equal(ended(), true);
  });
}
