import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enqueueObject } from '../controller/enqueue.ts';
import { configMaps, leases, secrets } from '../kube/resources.ts';
import { SyncTimeoutError } from '../kube/sync-timeout.ts';
import type { Lease } from '../lease/lease.ts';
import { connectionError } from '../testing/api-faults.ts';
import { elected, fixture, lease } from './manager-fixture.ts';

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

test('the jitter of its informers comes from the random numbers that it is given', async () => {
  const timeouts = async (random: number): Promise<unknown[]> => {
    const { clock, api, manager, start } = fixture({ random: () => random });
    const watch = api.watch.bind(api);
    const asked: unknown[] = [];
    api.watch = (resource, form, options) => {
      asked.push(options.timeoutSeconds);
      return watch(resource, form, options);
    };
    manager.cache(secrets);
    start();
    await clock.advance(10);
    return asked;
  };
  assert.deepEqual([...(await timeouts(0)), ...(await timeouts(0.5))], [300, 450]);
});
