import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases } from '../kube/resources.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { FencedError } from '../lease/write-fence.ts';
import { silentLogger } from '../runtime/logger.ts';
import { Manager } from './manager.ts';
import { elected, fixture, lease } from './manager-fixture.ts';
import { StopTimeoutError } from './manager-options.ts';

test('only the leader works; its successor does as soon as it has stopped', async () => {
  const { clock, api, stop, registry, log, manager, noting, start, holder } = fixture(elected);
  manager.add(noting('leader'));
  const { ending } = start();
  await clock.advance(1_000);
  const next = new Manager({
    client: api,
    clock,
    logger: silentLogger,
    leaderElection: { ...lease, identity: 'next' },
  });
  next.add({ name: 'work', run: async () => void log.push('next works') });
  const nextStop = new AbortController();
  const nextEnding = next.start(nextStop.signal);
  await clock.advance(60_000);
  assert.equal(next.ready(), true, 'a process that waits is ready');
  const metric = async (name: string): Promise<string | undefined> =>
    new RegExp(`${name}\\{name="operator"\\} (\\d)`).exec(await registry.metrics())?.[1];
  assert.equal(await metric('leader_election_master_status'), '1');
  assert.equal(await metric('leader_election_slowpath_total'), '0');
  api.label(leases, lease, { changed: 'yes' });
  await clock.advance(10_000);
  assert.equal(await metric('leader_election_slowpath_total'), '1');
  stop.abort();
  await clock.advance(3_000);
  await ending;
  assert.equal(await metric('leader_election_master_status'), '0');
  assert.deepEqual(log, ['leader begins', 'leader ends', 'next works']);
  assert.equal(holder(), 'next');
  nextStop.abort();
  await clock.advance(1_000);
  await nextEnding;
});

test('while reconciles in flight end, the Lease is kept and they may write', async () => {
  const { clock, api, stop, manager, start, holder } = fixture({ ...elected, stopTimeoutMs: 60_000 });
  const controller = manager.addController<string>({
    name: 'test',
    reconcile: async (key) => {
      await clock.sleep(25_000);
      await manager.client.create(configMaps, { metadata: { namespace: 'default', name: key } });
    },
  });
  controller.enqueue('a');
  controller.enqueue('b');
  const { result, ending } = start();
  await clock.advance(1_000);
  stop.abort();
  await clock.advance(23_000);
  assert.equal(holder(), 'me');
  await clock.advance(1_000);
  await ending;
  assert.deepEqual(result, { ended: true });
  assert.equal(holder(), '');
  assert.equal(api.writes('create').filter(({ object }) => object === 'default/a').length, 1);
  assert.equal(api.peek(configMaps, { namespace: 'default', name: 'b' }), undefined, 'no new one begins');
});

test('the loss of the Lease stops reconciles at once, refuses writes, and ends the manager with an error', async () => {
  const { clock, api, manager, start } = fixture(elected);
  let reason: unknown;
  let refused: unknown;
  const controller = manager.addController<string>({
    name: 'test',
    reconcile: async (_key, signal) => {
      await clock.sleep(3_600_000, signal).catch((error: unknown) => (reason = error));
      await manager.client
        .create(configMaps, { metadata: { namespace: 'default', name: 'late' } })
        .catch((error: unknown) => (refused = error));
      await new Promise(() => {}); // and never ends
    },
  });
  controller.enqueue('a');
  const { result, ending } = start();
  await clock.advance(1_000);
  api.change<Lease>(leases, lease, ({ spec }) => {
    if (spec) spec.holderIdentity = 'other';
  });
  await clock.advance(2_000);
  assert.ok(reason instanceof Error);
  assert.ok(refused instanceof FencedError);
  await clock.advance(1_000);
  await ending;
  assert.ok(result.error instanceof LeaseLostError);
  assert.equal(api.writes('create').filter(({ resource }) => resource === 'configmaps').length, 0);
});

test('a manager that can not renew its Lease in time stops by itself', async () => {
  const { clock, api, log, manager, noting, start } = fixture(elected);
  manager.add(noting('leader'));
  const { result, ending } = start();
  await clock.advance(1_000);
  api.goDown();
  await clock.advance(12_000);
  await ending;
  assert.ok(result.error instanceof LeaseLostError);
  assert.deepEqual(log, ['leader begins', 'leader ends']);
});

test('nothing is written before this process leads', async () => {
  const { manager } = fixture(elected);
  await assert.rejects(
    manager.client.create(configMaps, { metadata: { namespace: 'default', name: 'a' } }),
    FencedError,
  );
});

test('what does not end in time is named, and its Lease is neither released nor renewed', async () => {
  const { clock, api, stop, manager, noting, start, holder } = fixture({ ...elected, stopTimeoutMs: 10_000 });
  let abortedAt: number | undefined;
  const controller = manager.addController<string>({
    name: 'stuck',
    reconcile: (_key, signal) => {
      signal.addEventListener('abort', () => (abortedAt = clock.monotonic()));
      return new Promise(() => {});
    },
  });
  controller.enqueue('a');
  manager.add(noting('replica'));
  const { result, ending } = start();
  await clock.advance(1_000);
  stop.abort();
  await clock.advance(9_999);
  assert.equal(abortedAt, 6_000);
  assert.equal(result.ended, false);
  await clock.advance(1);
  await ending;
  assert.ok(result.error instanceof StopTimeoutError);
  assert.equal(result.error.message, 'not ended within 10 s: controller stuck');
  assert.equal(holder(), 'me');
  const renewals = api.writes('update').length;
  await clock.advance(60_000);
  assert.equal(api.writes('update').length, renewals);
});
