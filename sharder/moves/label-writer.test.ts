import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { FencedError } from '@controller-sharding/shared/lease/write-fence.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { assigned, patchOf, RingWorld, ref } from './ring-fixture.ts';

test('labels that are still those that were decided on are changed, whatever else changed', async () => {
  const world = new RingWorld();
  const object = world.secret('s', 'a', { user: 'x' });
  world.api.label(secrets, ref('s'), { user: 'y' });
  assert.equal(await world.moves.writer.relabel(secrets, object, { [assigned]: 'b' }), 'done');
  assert.deepEqual(world.labels(secrets, 's'), { user: 'y', [assigned]: 'b' });
});

test('labels that changed meanwhile, or another object of the name, are an outcome and not an error', async () => {
  const world = new RingWorld();
  const { writer } = world.moves;
  const object = world.secret('s', 'a');
  world.api.label(secrets, ref('s'), { [assigned]: 'c' });
  assert.equal(await writer.relabel(secrets, object, { [assigned]: 'b' }), 'changed');
  assert.equal(world.shardOf('s'), 'c');
  world.api.remove(secrets, ref('s'));
  assert.equal(await writer.relabel(secrets, object, { [assigned]: 'b' }), 'gone');
  world.secret('s', 'a');
  assert.equal(await writer.relabel(secrets, object, { [assigned]: 'b' }), 'changed');
});

test('a controlled object whose controller is another one by now is not touched', async () => {
  const world = new RingWorld();
  const child = world.configMap('c', world.secret('s', 'a'), 'a');
  world.api.change(configMaps, ref('c'), ({ metadata }) => {
    const reference = metadata.ownerReferences?.[0];
    if (reference) reference.uid = 'other';
  });
  const { writer } = world.moves;
  assert.equal(
    await writer.relabel(configMaps, child, { [assigned]: 'b' }, { controllerUid: true }),
    'changed',
  );
});

test('a process that may no longer be the leader sends nothing', async () => {
  const world = new RingWorld();
  const object = world.secret('s', 'a');
  world.fence.close();
  await assert.rejects(world.moves.writer.relabel(secrets, object, { [assigned]: 'b' }), FencedError);
  assert.equal(world.api.requests.length, 0);
});

test('a write has a deadline within the Lease, and what else goes wrong is thrown', async () => {
  const world = new RingWorld();
  const object = world.secret('s', 'a');
  world.api.fault({ on: patchOf('secrets', 's'), error: connectionError() });
  await assert.rejects(world.moves.writer.relabel(secrets, object, { [assigned]: 'b' }), /connection reset/);
  assert.equal(world.api.requests[0]?.timeoutMs, 4_000);
});
