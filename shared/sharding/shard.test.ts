import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases, secrets } from '../kube/resources.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { claimed } from '../lease/lease-claim.ts';
import { FencedError } from '../lease/write-fence.ts';
import { connectionError } from '../testing/api-faults.ts';
import { identityAnnotation, ringLabel, settlingAnnotation, sharderHolder } from './contract.ts';
import { assigned, controlledBy, gate, ref, ring, ShardWorld } from './shard-fixture.ts';

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

test('a new shard announces itself, and works at once on its own objects and no others', async () => {
  const world = new ShardWorld();
  world.secret('theirs', 'b');
  world.secret('nobodys', undefined);
  const { shard, told } = world.start();
  assert.equal(shard.ready, 'the shard is starting');
  await world.clock.advance(0);
  assert.equal(shard.ready, true);
  const { metadata, spec } = world.lease() ?? {};
  assert.deepEqual(metadata?.labels, { [ringLabel]: ring });
  assert.deepEqual(metadata?.annotations, { [identityAnnotation]: 'pod-1' });
  assert.equal(spec?.holderIdentity, 'a');
  assert.equal(spec?.leaseDurationSeconds, 15);
  assert.match(spec?.renewTime ?? '', /\.\d{6}Z$/);
  world.secret('mine', 'a');
  await world.clock.advance(0);
  assert.deepEqual(new Set(told('reconcile-begin')), new Set(['default/mine']));
  assert.deepEqual(world.labels(configMaps, 'mine-sums'), { [assigned]: 'a' });
});

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
    on: ({ verb, resource }) => verb === 'list' && resource === 'secrets',
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
      if (spec) spec.renewTime = String(round);
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

test('at the stop nothing begins any more, and the Lease is released when the last reconcile has ended', async () => {
  const world = new ShardWorld();
  const end = gate();
  const { stop, told, ended, error, events } = world.start({ concurrency: 1, reconcile: () => end.promise });
  world.secret('one', 'a');
  world.secret('two', 'a');
  await world.clock.advance(0);
  await world.clock.advance(11_000);
  assert.deepEqual(told('reconcile-begin'), ['default/one']);
  stop.abort(new Error('stop'));
  await world.clock.advance(30_000);
  assert.equal(ended(), false);
  assert.equal(world.lease()?.spec?.holderIdentity, 'a', 'renewed meanwhile');
  end.resolve();
  await world.clock.advance(0);
  assert.equal(ended(), true);
  assert.equal(error(), undefined);
  assert.equal(world.lease()?.spec?.holderIdentity, '');
  assert.deepEqual(told('reconcile-begin'), ['default/one']);
  assert.deepEqual(told('reconcile-end'), ['default/one']);
  const last = events.at(-1);
  assert(last?.event === 'lease' && last.state === 'released');
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

test('a shard whose Lease is taken ends at once, and what still runs writes nothing', async () => {
  const world = new ShardWorld();
  const end = gate();
  let refused: unknown;
  const { ended, error, events } = world.start({
    reconcile: async ({ object, writer }) => {
      await end.promise;
      await writer.create(configMaps, controlledBy(object, 'late')).catch((reason: unknown) => {
        refused = reason;
      });
    },
  });
  await world.clock.advance(0);
  world.secret('mine', 'a');
  await world.clock.advance(1_000);
  world.api.change<Lease>(leases, ref('a'), ({ spec }) => {
    if (spec) spec.holderIdentity = sharderHolder;
  });
  await world.clock.advance(2_000);
  assert.equal(ended(), true);
  assert(error() instanceof LeaseLostError);
  assert(events.some((event) => event.event === 'lease' && event.state === 'lost'));
  end.resolve();
  await world.clock.advance(5_000);
  assert(refused instanceof FencedError);
  assert.equal(world.api.peek(configMaps, ref('late')), undefined);
  assert.equal(world.lease()?.spec?.holderIdentity, sharderHolder, 'what is lost is not released');
});

test('an API server that is away for 30 s ends a shard, since it can not know whether it still is one', async () => {
  const world = new ShardWorld();
  const { error } = world.start();
  await world.clock.advance(2_000);
  world.api.goDown();
  await world.clock.advance(9_999);
  assert.equal(error(), undefined);
  await world.clock.advance(1);
  assert(error() instanceof LeaseLostError);
});

test('an outage shorter than 2/3 of the duration changes nothing', async () => {
  const world = new ShardWorld();
  const { shard, told } = world.start();
  await world.clock.advance(2_000);
  world.api.goDown();
  await world.clock.advance(8_000);
  world.api.comeUp();
  world.secret('mine', 'a');
  await world.clock.advance(30_000);
  assert.equal(shard.ready, true);
  assert.deepEqual(new Set(told('reconcile-end')), new Set(['default/mine']));
});

test('a reconcile lasts until the writes end whose promises it dropped, and none begins after it', async () => {
  const world = new ShardWorld();
  let late: unknown;
  world.api.fault({
    on: ({ verb, resource }) => verb === 'create' && resource === 'configmaps',
    delayMs: 1_000,
  });
  const { events } = world.start({
    reconcile: async ({ object, writer }) => {
      void writer
        .create(configMaps, controlledBy(object, 'first'))
        .then(() => writer.create(configMaps, controlledBy(object, 'second')))
        .catch((reason: unknown) => {
          late ??= reason;
        });
    },
  });
  await world.clock.advance(0);
  world.secret('mine', 'a');
  await world.clock.advance(2_000);
  const kinds = events.filter(({ event }) => event !== 'lease').map(({ event }) => event);
  assert.deepEqual(kinds.slice(0, 4), ['reconcile-begin', 'write-begin', 'write-end', 'reconcile-end']);
  assert(late instanceof FencedError);
  assert.equal(world.api.peek(configMaps, ref('second')), undefined);
});

test('a change of a controlled object reconciles its owner', async () => {
  const world = new ShardWorld();
  const { told } = world.start();
  await world.clock.advance(0);
  world.secret('mine', 'a');
  await world.clock.advance(100);
  const before = told('reconcile-begin').length;
  world.api.label(configMaps, ref('mine-sums'), { edited: 'yes' });
  await world.clock.advance(0);
  assert.equal(told('reconcile-begin').length, before + 1);
  world.api.remove(configMaps, ref('mine-sums'));
  await world.clock.advance(0);
  assert(world.api.peek(configMaps, ref('mine-sums')), 'put back');
  assert.equal(world.api.peek(secrets, ref('mine'))?.metadata.labels?.[assigned], 'a');
});

test('a reconcile that fails is tried again, later each time', async () => {
  const world = new ShardWorld();
  let tries = 0;
  const { events } = world.start({
    reconcile: async () => {
      tries += 1;
      if (tries < 4) throw new Error('not yet');
    },
  });
  await world.clock.advance(0);
  world.secret('mine', 'a');
  await world.clock.advance(0);
  assert.equal(tries, 1);
  await world.clock.advance(1_000);
  assert.equal(tries, 4);
  const outcomes = events.flatMap((event) => (event.event === 'reconcile-end' ? [event.outcome] : []));
  assert.deepEqual(outcomes, ['failed', 'failed', 'failed', 'done']);
});
