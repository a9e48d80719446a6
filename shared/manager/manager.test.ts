import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { enqueueObject } from '../controller/enqueue.ts';
import { configMaps, leases, secrets } from '../kube/resources.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import { holderOf, type Lease } from '../lease/lease.ts';
import { FencedError } from '../lease/write-fence.ts';
import { createLogger, silentLogger } from '../runtime/logger.ts';
import { connectionError } from '../testing/api-faults.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { Manager, type ManagerOptions, StopTimeoutError, SyncTimeoutError } from './manager.ts';
import type { Runnable, Stage } from './runnable.ts';

const lease = { namespace: 'default', name: 'operator' };

function fixture(options: Partial<ManagerOptions> = {}) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const registry = new Registry();
  const stop = new AbortController();
  const log: string[] = [];
  const manager = new Manager({ client: api, clock, logger: silentLogger, registry, ...options });
  /** Notes when it begins and ends, each time with what the stages above have done. */
  const noting = (stage: Stage, more: Partial<Runnable> = {}): Runnable => ({
    name: stage,
    stage,
    run: async (signal) => {
      log.push(`${stage} begins`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await clock.sleep(10);
      log.push(`${stage} ends`);
    },
    ...more,
  });
  const start = () => {
    const result: { ended: boolean; error?: unknown } = { ended: false };
    const ending = manager.start(stop.signal).then(
      () => (result.ended = true),
      (error: unknown) => Object.assign(result, { ended: true, error }),
    );
    return { result, ending };
  };
  const holder = () => holderOf(api.peek<Lease>(leases, lease) ?? { metadata: { name: '' } });
  return { clock, api, registry, stop, log, manager, noting, start, holder };
}

const elected = { leaderElection: { ...lease, identity: 'me' } };

test('all starts in order, each stage when the one before has synced, and stops in the opposite order', async () => {
  const { clock, stop, log, manager, noting, start } = fixture();
  const listed = Promise.withResolvers<void>();
  for (const stage of ['leader', 'cache', 'server', 'replica'] as const) {
    manager.add(noting(stage, stage === 'cache' ? { waitForSync: () => listed.promise } : {}));
  }
  const { result, ending } = start();
  await clock.advance(100);
  assert.deepEqual(log.splice(0), ['server begins', 'cache begins']);
  assert.equal(manager.ready(), 'not synced yet: cache');
  listed.resolve();
  await clock.advance(0);
  assert.deepEqual(log.splice(0), ['replica begins', 'leader begins']);
  assert.equal(manager.ready(), true);
  stop.abort();
  await clock.advance(25);
  assert.deepEqual(log, ['leader ends', 'replica ends']);
  assert.equal(manager.ready(), 'the manager is stopping');
  await clock.advance(25);
  await ending;
  assert.deepEqual(log, ['leader ends', 'replica ends', 'cache ends', 'server ends']);
  assert.deepEqual(result, { ended: true });
  assert.equal(clock.pending, 0);
});

test('a controller works on what the informers have listed, and what happens meanwhile goes first', async () => {
  const { clock, api, stop, manager, start } = fixture();
  for (const name of ['a', 'b', 'c']) api.seed(configMaps, { metadata: { namespace: 'default', name } });
  const seen: string[] = [];
  const controller = manager.addController<string>({
    name: 'test',
    reconcile: async (key) => {
      assert.equal(informer.hasSynced, true);
      seen.push(key);
      if (seen.length === 1) api.label(configMaps, { namespace: 'default', name: 'c' }, { changed: 'yes' });
      await clock.sleep(10);
    },
  });
  const { informer } = manager.informers.acquire({ resource: configMaps, form: 'metadata' });
  informer.addHandler(enqueueObject(controller));
  const { ending } = start();
  await clock.advance(100);
  assert.deepEqual(seen, ['default/a', 'default/c', 'default/b']);
  api.seed(configMaps, { metadata: { namespace: 'default', name: 'd' } });
  await clock.advance(100);
  assert.deepEqual(seen.slice(3), ['default/d']);
  stop.abort();
  await clock.advance(0);
  await ending;
  assert.deepEqual(api.watches, []);
});

test('caches that do not sync end the manager with an error that names them', async () => {
  const { clock, api, log, manager, noting, start } = fixture({ syncTimeoutMs: 5_000 });
  manager.add(noting('leader'));
  manager.informers.acquire({ resource: configMaps, form: 'metadata' });
  manager.informers.acquire({ resource: secrets, form: 'metadata' });
  api.fault({ on: ({ resource }) => resource === 'secrets', times: Infinity, error: connectionError() });
  const { result, ending } = start();
  await clock.advance(4_000);
  assert.equal(manager.ready(), 'not synced yet: secrets');
  await clock.advance(1_000);
  await ending;
  assert.ok(result.error instanceof SyncTimeoutError);
  assert.match(result.error.message, /^not synced within 5 s: secrets\./);
  assert.deepEqual(log, []);
});

test('a runnable that fails ends the manager with its error, after an orderly stop', async () => {
  const { clock, log, manager, noting, start, holder } = fixture(elected);
  manager.add(noting('leader'));
  manager.add(noting('server'));
  const failing = Promise.withResolvers<void>();
  manager.add({ name: 'failing', stage: 'replica', run: () => failing.promise });
  const { result, ending } = start();
  await clock.advance(1_000);
  assert.equal(holder(), 'me');
  failing.reject(new Error('out of order'));
  await clock.advance(100);
  await ending;
  assert.match(String(result.error), /out of order/);
  assert.deepEqual(log, ['server begins', 'leader begins', 'leader ends', 'server ends']);
  assert.equal(holder(), '');
});

test('a runnable that throws before it returns a promise has ended: the Lease is released', async () => {
  const { clock, manager, start, holder } = fixture(elected);
  manager.add({
    name: 'at once',
    run: () => {
      throw new Error('at once');
    },
  });
  const { result, ending } = start();
  await clock.advance(100);
  await ending;
  assert.match(String(result.error), /at once/);
  assert.equal(holder(), '');
});

test('a runnable that has done its work ends nothing', async () => {
  const { clock, stop, manager, start } = fixture();
  manager.add({ name: 'short', run: async () => {} });
  const { result, ending } = start();
  await clock.advance(1_000);
  assert.equal(result.ended, false);
  stop.abort();
  await ending;
});

test('a runnable that ends with the reason of its stop has not failed; one that fails while it stops has', async () => {
  for (const [error, expected] of [
    [undefined, undefined],
    [new Error('not saved'), 'Error: not saved'],
  ] as const) {
    const { clock, stop, manager, start } = fixture();
    manager.add({
      name: 'asleep',
      run: (signal) =>
        clock.sleep(60_000, signal).catch((reason: unknown) => {
          throw error ?? reason;
        }),
    });
    const { result, ending } = start();
    await clock.advance(10);
    stop.abort();
    await ending;
    assert.equal(result.error && String(result.error), expected);
  }
});

test('a manager is started once, and takes nothing more then', async () => {
  const { stop, manager, noting, start } = fixture();
  const { ending } = start();
  await assert.rejects(manager.start(stop.signal), /only once/);
  assert.throws(() => manager.add(noting('leader')), /before the manager is started/);
  stop.abort();
  await ending;
});

for (const [when, atMs] of [
  ['before the start', 0],
  ['while the caches sync', 10],
  ['while another process leads', 200],
] as const) {
  test(`a stop ${when} ends what has begun, and begins nothing more`, async () => {
    const { clock, api, stop, log, manager, noting, start, holder } = fixture(elected);
    api.seed<Lease>(leases, {
      metadata: { ...lease },
      spec: { holderIdentity: 'other', leaseDurationSeconds: 3_600 },
    });
    manager.add(noting('cache', { waitForSync: (signal) => clock.sleep(100, signal) }));
    manager.add(noting('leader'));
    if (atMs === 0) stop.abort();
    const { result, ending } = start();
    await clock.advance(atMs);
    assert.equal(result.ended, atMs === 0);
    stop.abort();
    await clock.advance(20);
    await ending;
    assert.deepEqual(result, { ended: true });
    assert.deepEqual(log, atMs === 0 ? [] : ['cache begins', 'cache ends']);
    assert.equal(holder(), 'other');
  });
}

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

test('health and metrics are served from the first moment to the last', async () => {
  const addresses: string[] = [];
  const logger = createLogger({
    level: 'debug',
    name: 'test',
    destination: {
      write(line) {
        const { address } = JSON.parse(line);
        if (address !== undefined) addresses.push(`http://${address}`);
      },
    },
  });
  const { clock, stop, manager, noting, start } = fixture({
    logger,
    healthAddress: '127.0.0.1:0',
    metricsAddress: '127.0.0.1:0',
  });
  const listed = Promise.withResolvers<void>();
  manager.add(noting('cache', { waitForSync: () => listed.promise }));
  manager.addController<string>({ name: 'test', reconcile: async () => {} });
  const { result, ending } = start();
  const answers = async (path: string): Promise<string[]> =>
    Promise.all(addresses.map(async (address) => (await fetch(address + path)).text()));
  const deadline = performance.now() + 10_000;
  while (manager.ready() !== 'not synced yet: cache') {
    assert.ok(performance.now() < deadline, String(manager.ready()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok((await answers('/readyz')).includes('not synced yet: cache\n'));
  assert.ok((await answers('/healthz')).includes('ok\n'));
  listed.resolve();
  await clock.advance(0);
  assert.ok((await answers('/readyz')).includes('ok\n'));
  assert.ok((await answers('/metrics')).some((text) => text.includes('controller_runtime_active_workers')));
  stop.abort();
  await clock.advance(0);
  assert.ok((await answers('/readyz')).includes('the manager is stopping\n'));
  await clock.advance(100);
  await ending;
  assert.deepEqual(result, { ended: true });
  await assert.rejects(answers('/healthz'), TypeError);
});

test('a server that can not listen ends the manager with its error', async () => {
  const { result, ending } = fixture({ healthAddress: '192.0.2.1:1' }).start();
  await ending;
  assert.match(String(result.error), /192\.0\.2\.1/);
});
