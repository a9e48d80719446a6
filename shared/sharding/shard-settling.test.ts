import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../kube/resources.ts';
import { type Lease, microTime } from '../lease/lease.ts';
import { claimed } from '../lease/lease-claim.ts';
import { connectionError } from '../testing/api-faults.ts';
import { identityAnnotation, ringLabel, settlingAnnotation, sharderHolder } from './contract.ts';
import { assigned, ref, ring, ShardWorld } from './shard-fixture.ts';

/** A Lease of the shard `a` as a former process left it. */
const leftBy = (
  world: ShardWorld,
  holder: string,
  identity = 'pod-1',
  marks: Record<string, string> = {},
): Lease =>
  world.api.seed<Lease>(
    leases,
    claimed(
      undefined,
      {
        ...ref('a'),
        holder,
        durationSeconds: 15,
        labels: { [ringLabel]: ring },
        annotations: { [identityAnnotation]: identity, ...marks },
      },
      world.clock.now(),
    ),
  );

/** Lists and watches of its objects. */
const looks = ({ api }: ShardWorld): number =>
  api.requests.filter(
    ({ verb, resource, labelSelector }) =>
      (verb === 'watch' || verb === 'list') && resource === 'configmaps' && labelSelector === `${assigned}=a`,
  ).length;

test('a name that was released settles: for 11 s nothing is listed, and the Lease says so', async () => {
  const world = new ShardWorld();
  leftBy(world, '');
  world.secret('mine', 'a');
  const { shard, told, events } = world.start();
  await world.clock.advance(10_999);
  assert.equal(shard.ready, 'the shard is settling');
  assert.equal(looks(world), 0);
  assert.equal(world.lease()?.metadata.annotations?.[settlingAnnotation], 'true');
  await world.clock.advance(1);
  assert.deepEqual(new Set(told('reconcile-begin')), new Set(['default/mine']));
  assert.equal(world.lease()?.metadata.annotations?.[settlingAnnotation], 'true');
  await world.clock.advance(2_000);
  assert.equal(world.lease()?.metadata.annotations?.[settlingAnnotation], undefined);
  assert.deepEqual(
    events.flatMap((event) => (event.event === 'lease' ? [event.state] : [])),
    ['acquired', 'settled'],
  );
});

test('a name that the sharder had taken over settles', async () => {
  const world = new ShardWorld();
  leftBy(world, sharderHolder);
  world.start();
  await world.clock.advance(10_999);
  assert.equal(looks(world), 0);
  await world.clock.advance(1);
  assert.equal(looks(world), 1);
});

test('a process that restarts before it settled settles again', async () => {
  const world = new ShardWorld();
  leftBy(world, 'a', 'pod-1', { [settlingAnnotation]: 'true' });
  world.start();
  await world.clock.advance(10_999);
  assert.equal(looks(world), 0);
  await world.clock.advance(1);
  assert.equal(looks(world), 1);
});

test('a restarted process of the same pod lists at once and works 2 s later', async () => {
  const world = new ShardWorld();
  leftBy(world, 'a');
  world.secret('mine', 'a');
  const { shard, told } = world.start();
  await world.clock.advance(1_999);
  assert.equal(looks(world), 1);
  assert.equal(shard.ready, 'the shard is listing');
  assert.deepEqual(told('reconcile-begin'), []);
  await world.clock.advance(1);
  assert.deepEqual(new Set(told('reconcile-begin')), new Set(['default/mine']));
});

test('a name without a Lease that objects carry settles', async () => {
  const world = new ShardWorld();
  world.secret('mine', 'a');
  world.start();
  await world.clock.advance(10_999);
  assert.equal(looks(world), 0);
  await world.clock.advance(1);
  assert.equal(looks(world), 1);
});

test('so does one of which that can not be seen', async () => {
  const world = new ShardWorld();
  world.api.fault({
    on: ({ verb, resource, labelSelector }) =>
      verb === 'list' && resource === 'secrets' && labelSelector !== undefined,
    error: connectionError(),
  });
  world.start();
  await world.clock.advance(10_999);
  assert.equal(looks(world), 0);
});

test('a process waits while another one of its name renews, and takes the name when that is silent', async () => {
  const world = new ShardWorld();
  leftBy(world, 'a', 'pod-0');
  const { shard } = world.start();
  for (let round = 0; round < 5; round += 1) {
    await world.clock.advance(10_000);
    world.api.change<Lease>(leases, ref('a'), ({ spec }) => {
      if (spec) spec.renewTime = microTime(world.clock.now());
    });
  }
  await world.clock.advance(14_000);
  assert.equal(shard.ready, 'the shard is starting');
  await world.clock.advance(4_000);
  assert.equal(shard.ready, true);
  assert.equal(world.lease()?.metadata.annotations?.[identityAnnotation], 'pod-1');
});

test('a Lease of another ring under its name ends it with a message', async () => {
  const world = new ShardWorld();
  world.api.seed<Lease>(leases, { metadata: { ...ref('a'), labels: { [ringLabel]: 'other' } } });
  const { error } = world.start();
  await world.clock.advance(0);
  assert.match(String(error()), /belongs to the ring "other"/);
});

test('a shard that is stopped while it settles releases its Lease', async () => {
  const world = new ShardWorld();
  leftBy(world, '');
  const { stop, ended, error } = world.start();
  await world.clock.advance(5_000);
  stop.abort(new Error('stop'));
  await world.clock.advance(0);
  assert.equal(ended(), true);
  assert.equal(error(), undefined);
  assert.equal(world.lease()?.spec?.holderIdentity, '');
  assert.equal(world.lease()?.metadata.annotations?.[settlingAnnotation], 'true');
});
