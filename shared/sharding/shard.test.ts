import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases, secrets } from '../kube/resources.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { FencedError } from '../lease/write-fence.ts';
import { identityAnnotation, ringLabel, sharderHolder } from './contract.ts';
import { assigned, controlledBy, gate, ref, ring, ShardWorld } from './shard-fixture.ts';

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
