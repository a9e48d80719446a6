import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../kube/errors.ts';
import { pods, secrets } from '../kube/resources.ts';
import { handedOverAnnotation, settlingAnnotation, sharderHolder } from './contract.ts';
import { ref, ring } from './shard-fixture.ts';
import { handedOver, SlotWorld, sorted } from './slot-fixture.ts';

test('as many slots are taken at once as the Deployment wants; more pods than that wait and are ready', async () => {
  const world = new SlotWorld(3);
  const started = ['p1', 'p2', 'p3', 'p4', 'p5'].map((name) => world.pod(name));
  await world.clock.advance(5_000);
  assert.deepEqual(sorted(world.holders(4)), ['-', 'p1-uid', 'p2-uid', 'p3-uid']);
  assert.deepEqual(
    started.map(({ shard }) => shard.ready),
    [true, true, true, true, true],
  );
  assert.deepEqual(sorted(started.map(({ shard }) => shard.name)), [
    '-',
    '-',
    `${ring}-0`,
    `${ring}-1`,
    `${ring}-2`,
  ]);
});

test('fewer pods than slots: a slot for each, and no more', async () => {
  const world = new SlotWorld(3);
  world.pod('p1');
  await world.clock.advance(60_000);
  assert.deepEqual(world.holders(2), ['p1-uid', undefined]);
});

test('a slot that is handed over is taken by the spare within half a second, without settling', async () => {
  const world = new SlotWorld(1);
  world.objects(1, 3);
  world.left({ number: 0, holder: '', marks: handedOver });
  const old = world.pod('old');
  await world.clock.advance(5_000);
  assert.equal(new Set(old.told('reconcile-begin')).size, 3);
  const next = world.pod('next');
  await world.clock.advance(10_000);
  assert.equal(next.shard.ready, true);
  assert.deepEqual(next.told('reconcile-begin'), []);
  old.stop.abort(new Error('stop'));
  await world.clock.advance(500);
  assert.equal(old.ended(), true);
  assert.equal(world.holder(0), 'next-uid');
  assert.equal(new Set(next.told('reconcile-begin')).size, 3);
  const { annotations } = world.lease(`${ring}-0`)?.metadata ?? {};
  assert.equal(annotations?.[handedOverAnnotation], undefined);
  assert.equal(annotations?.[settlingAnnotation], undefined);
});

test('a slot that the sharder took over before is settled', async () => {
  const world = new SlotWorld(1);
  world.objects(1, 1);
  world.left({ number: 0, holder: sharderHolder });
  const { told, shard } = world.pod('p1');
  await world.clock.advance(10_999);
  assert.equal(world.holder(0), 'p1-uid');
  assert.equal(shard.ready, 'the shard is settling');
  assert.deepEqual(told('reconcile-begin'), []);
  await world.clock.advance(2_000);
  assert.deepEqual(new Set(told('reconcile-begin')), new Set(['default/s-0-0']));
});

test('when pods become fewer, a slot is left and not handed over', async () => {
  const world = new SlotWorld(2);
  const [a, b] = [world.pod('a'), world.pod('b')];
  await world.clock.advance(1_000);
  world.scale(1);
  b.stop.abort(new Error('stop'));
  await world.pass();
  assert.deepEqual(world.holders(2), ['a-uid', '']);
  a.stop.abort(new Error('stop'));
  await world.pass();
  assert.deepEqual(world.holders(2), ['*', '']);
});

test('when the Deployment is deleted, slots are left', async () => {
  const world = new SlotWorld(1);
  const { stop } = world.pod('a');
  await world.clock.advance(1_000);
  world.deleteWorkload();
  stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(world.holder(0), '');
});

test('a spare takes a slot when the Deployment wants more', async () => {
  const world = new SlotWorld(1);
  world.pod('a');
  await world.clock.advance(1_000);
  const spare = world.pod('spare');
  await world.clock.advance(10_000);
  assert.equal(spare.shard.name, undefined);
  world.scale(2);
  await world.clock.advance(3_000);
  assert.equal(spare.shard.name, `${ring}-1`);
});

test('a container that is restarted has its own slot again, also when that is one too many', async () => {
  const world = new SlotWorld(1);
  world.left({ number: 0 });
  world.left({ number: 1, identity: 'me' });
  world.objects(2, 1);
  const { shard, told } = world.pod('p1', 'me');
  await world.clock.advance(1_999);
  assert.equal(shard.name, `${ring}-1`);
  assert.deepEqual(told('reconcile-begin'), []);
  await world.clock.advance(2);
  assert.deepEqual(new Set(told('reconcile-begin')), new Set(['default/s-1-0']));
});

test('pods without a workload, and missing rights, are told', async () => {
  const alone = new SlotWorld(1);
  alone.api.seed(pods, { metadata: ref('alone') });
  const { error } = alone.pod('alone');
  await alone.clock.advance(0);
  assert.match(String(error()), /Deployments, ReplicaSets and StatefulSets/);
  const world = new SlotWorld(1);
  const forbidden = new ApiError(403, 'Forbidden', 'replicasets.apps is forbidden');
  world.api.fault({ on: ({ resource }) => resource.startsWith('replicasets'), error: forbidden });
  const refused = world.pod('p1');
  await world.clock.advance(0);
  assert.match(String(refused.error()), /right to get replicasets in namespace default/);
});

test('a pod of a StatefulSet has its own name, hands it over, and takes it up again without settling', async () => {
  const world = new SlotWorld(2, 'StatefulSet');
  world.secret('mine', 'operator-1');
  const old = world.pod('operator-1', 'old');
  await world.clock.advance(15_000);
  assert.deepEqual(new Set(old.told('reconcile-begin')), new Set(['default/mine']));
  old.stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(world.lease('operator-1')?.metadata.annotations?.[handedOverAnnotation], 'true');
  const next = world.pod('operator-1', 'next');
  await world.pass();
  assert.deepEqual(new Set(next.told('reconcile-begin')), new Set(['default/mine']));
  world.scale(1);
  next.stop.abort(new Error('stop'));
  await world.pass();
  assert.equal(world.lease('operator-1')?.metadata.annotations?.[handedOverAnnotation], undefined);
});

test('a rolling update of three: every slot changes hands, no object moves, none is worked on twice at once', async () => {
  const world = new SlotWorld(3);
  world.objects(3, 4);
  for (const number of [0, 1, 2]) world.left({ number, holder: '', marks: handedOver });
  const working = new Map<string, number>();
  let most = 0;
  const reconcile = async ({
    object: { metadata },
  }: {
    object: { metadata: { name: string } };
  }): Promise<void> => {
    const now = (working.get(metadata.name) ?? 0) + 1;
    working.set(metadata.name, now);
    most = Math.max(most, now);
    await world.clock.sleep(300);
    working.set(metadata.name, now - 1);
  };
  const before = world.assignments;
  let running = ['a1', 'a2', 'a3'].map((name) => world.pod(name, name, reconcile));
  await world.clock.advance(3_000);
  for (const generation of ['b', 'c']) {
    const next = [];
    for (const [number, old] of running.entries()) {
      next.push(world.pod(`${generation}${number}`, `${generation}${number}`, reconcile));
      await world.clock.advance(800);
      for (let i = 0; i < 12; i += 1)
        world.api.label(secrets, ref(`s-${i % 3}-${i % 4}`), { n: `${generation}${i}` });
      old.stop.abort(new Error('stop'));
      await world.clock.advance(1_500);
      assert.equal(old.ended(), true);
    }
    running = next;
    assert.deepEqual(
      sorted(world.holders(3)),
      [0, 1, 2].map((number) => `${generation}${number}`),
    );
  }
  assert.equal(most, 1);
  assert.deepEqual(world.assignments, before);
  assert.equal(world.lease(`${ring}-3`), undefined);
  assert.deepEqual(
    running.map(({ error }) => error()),
    [undefined, undefined, undefined],
  );
});
