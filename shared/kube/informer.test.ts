import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../runtime/clock.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { ApiError, TransportError } from './errors.ts';
import { FakeApi } from './fake-api.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { configMaps } from './resources.ts';
import { until } from './test-server.ts';
import type { KubeObject } from './types.ts';

interface Fixture {
  api: FakeApi;
  clock: FakeClock;
  informer: Informer<KubeObject>;
  /** What the handlers were told: `added a 101`. */
  told: string[];
  health: string[];
  /** What handlers threw. */
  failures: unknown[];
  run(): Promise<void>;
  stop(): Promise<void>;
}

function fixture(
  t: Pick<TestContext, 'after'>,
  options: Partial<InformerOptions<KubeObject>> = {},
  api = new FakeApi(),
): Fixture {
  const clock = new FakeClock();
  const told: string[] = [];
  const health: string[] = [];
  const failures: unknown[] = [];
  const logger = Object.assign(Object.create(silentLogger), {
    error: ({ err }: { err: unknown }) => failures.push(err),
  });
  const informer = new Informer<KubeObject>({
    client: api,
    resource: configMaps,
    form: 'metadata',
    clock,
    random: () => 1,
    logger,
    health: {
      connected: () => health.push('connected'),
      progress: () => health.push('progress'),
      disconnected: (error) => health.push(`disconnected: ${String(error)}`),
    },
    ...options,
  });
  const say = (what: string, { metadata }: KubeObject): number =>
    told.push(`${what} ${metadata.name} ${metadata.resourceVersion}`);
  informer.addHandler({
    added: (object) => say('added', object),
    updated: (_, object) => say('updated', object),
    deleted: (object) => say('deleted', object),
  });
  const controller = new AbortController();
  let running: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  t.after(stop);
  return {
    api,
    clock,
    informer,
    told,
    health,
    failures,
    async run() {
      running = informer.run(controller.signal);
      await informer.waitForSync(controller.signal);
      await until(() => api.watchers === 1);
    },
    stop,
  };
}

const reset = new TransportError('KUBE_CONNECTION', 'connection reset');

test('the first list comes with the watch; hasSynced when the handlers have seen it', async (t) => {
  const { api, informer, told, health, failures, run } = fixture(t);
  api.put('a');
  api.put('b');
  informer.addHandler({ added: () => assert.equal(informer.hasSynced, false) });
  await run();
  assert.equal(informer.hasSynced, true);
  assert.deepEqual(failures, []);
  assert.deepEqual(told, ['added a 101', 'added b 102']);
  assert.deepEqual(health, ['connected']);
  assert.deepEqual(api.calls, [{ verb: 'watch', resourceVersion: undefined, sendInitialEvents: true }]);
});

test('events are told in order, each with progress', async (t) => {
  const { api, informer, told, health, run } = fixture(t);
  await run();
  api.put('a');
  api.put('a', { x: '1' });
  api.remove('a');
  api.put('a');
  await until(() => told.length === 4);
  assert.deepEqual(told, ['added a 101', 'updated a 102', 'deleted a 103', 'added a 104']);
  assert.deepEqual(health, ['connected', 'progress', 'progress', 'progress', 'progress']);
  assert.equal(informer.store.get('a')?.metadata.resourceVersion, '104');
});

test('where watch lists are refused, a paged list is used from then on', async (t) => {
  const { api, informer, health, run } = fixture(t);
  api.refusesWatchList = true;
  for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(name);
  await run();
  assert.deepEqual([...informer.store.keys()], ['a', 'b', 'c', 'd', 'e']);
  api.put('f');
  api.compact();
  api.endWatches(new ApiError(410, 'Expired', 'too old'));
  await until(() => informer.store.size === 6 && api.watchers === 1);
  assert.deepEqual(
    api.calls.map(({ verb, sendInitialEvents }) => `${verb} ${sendInitialEvents}`),
    ['watch true', 'list false', 'watch false', 'list false', 'watch false'],
  );
  assert.equal(health[0], 'connected');
});

test('a watch that ends in good order is resumed at once where it ended', async (t) => {
  const { api, clock, told, health, run } = fixture(t);
  await run();
  api.put('a');
  await until(() => told.length === 1);
  api.endWatches();
  await until(() => api.calls.length === 2 && api.watchers === 1);
  api.put('b');
  await until(() => told.length === 2);
  assert.equal(api.calls[1]?.resourceVersion, '101');
  assert.deepEqual(health, ['connected', 'progress', 'connected', 'progress']);
  assert.equal(clock.monotonic(), 0);
});

test('after a 410 the list is compared: missed deletes with their last state, same names with other uids', async (t) => {
  const { api, informer, told, run } = fixture(t);
  for (const name of ['same', 'changed', 'deleted', 'recreated']) api.put(name);
  await run();
  told.length = 0;
  api.endWatches();
  api.put('changed');
  api.remove('deleted');
  api.remove('recreated');
  api.put('recreated');
  api.put('new');
  api.compact();
  await until(() => told.length >= 5);
  assert.deepEqual(told, [
    'deleted deleted 103',
    'updated changed 105',
    'deleted recreated 104',
    'added recreated 108',
    'added new 109',
  ]);
  assert.equal(informer.store.size, 4);
});

test('a failing server is tried again and again, with growing waits of at most 30 s', async (t) => {
  const { api, clock, health, told, run } = fixture(t);
  await run();
  api.down = reset;
  api.endWatches(reset);
  await until(() => health.length === 2);
  assert.equal(health[1], 'disconnected: TransportError: connection reset');
  const attempts: number[] = [];
  for (let second = 1; second <= 600; second += 1) {
    const before = api.calls.length;
    await clock.advance(1_000);
    if (api.calls.length > before) attempts.push(second);
  }
  assert.deepEqual(attempts.slice(0, 6), [1, 3, 6, 12, 25, 51]);
  const waits = attempts.slice(6).map((second, index) => second - (attempts[index + 5] ?? 0));
  assert.ok(waits.length > 15 && waits.every((wait) => wait === 30), String(waits));
  api.down = undefined;
  api.put('a');
  await clock.advance(30_000);
  assert.deepEqual(told, ['added a 101']);
  assert.deepEqual(health.slice(-2), ['connected', 'progress']);
});

test('waits are random between half and the whole, and not shorter than the server asked for', async (t) => {
  const { api, clock, run } = fixture(t, { random: () => 0 });
  await run();
  api.endWatches(reset);
  await until(() => api.watchers === 0);
  await clock.advance(399);
  assert.equal(api.calls.length, 1);
  await clock.advance(1);
  assert.equal(api.calls.length, 2);
  api.endWatches(new ApiError(429, 'TooManyRequests', 'later', 5_000));
  await until(() => api.watchers === 0);
  await clock.advance(4_999);
  assert.equal(api.calls.length, 2);
  await clock.advance(1);
  assert.equal(api.calls.length, 3);
});

test('after a healthy period the waits begin anew', async (t) => {
  const { api, clock, run } = fixture(t);
  await run();
  for (const wait of [800, 1_600, 800]) {
    const calls = api.calls.length;
    if (calls === 3) await clock.advance(30_000);
    api.endWatches(reset);
    await until(() => api.watchers === 0);
    await clock.advance(wait - 1);
    assert.equal(api.calls.length, calls);
    await clock.advance(1);
    assert.equal(api.calls.length, calls + 1);
  }
});

test('a watch that is silent for 90 s is ended and resumed', async (t) => {
  const { api, clock, told, health, run } = fixture(t);
  await run();
  await clock.advance(60_000);
  api.put('a');
  await until(() => told.length === 1);
  await clock.advance(89_999);
  assert.equal(api.watchers, 1);
  await clock.advance(1);
  assert.equal(health.at(-1), 'disconnected: TransportError: nothing heard of the watch for 90 s');
  await clock.advance(800);
  assert.equal(health.at(-1), 'connected');
  assert.equal(api.calls[1]?.resourceVersion, '101');
});

test('a watch that ends at once again and again does not make a busy loop', async (t) => {
  const { api, clock, run } = fixture(t);
  await run();
  api.endWatches();
  await until(() => api.calls.length === 2 && api.watchers === 1);
  api.endWatches();
  await clock.advance(799);
  assert.equal(api.calls.length, 2);
  await clock.advance(1);
  assert.equal(api.calls.length, 3);
});

test('an object that stops matching the selector is deleted, with its old labels', async (t) => {
  const { api, informer, run } = fixture(t, { labelSelector: 'shard=s1' });
  const last: KubeObject[] = [];
  informer.addHandler({ deleted: (object) => last.push(object) });
  api.put('a', { shard: 's1' });
  api.put('b', { shard: 's2' });
  await run();
  assert.deepEqual([...informer.store.keys()], ['a']);
  api.put('a', { shard: 's2' });
  await until(() => last.length === 1);
  assert.deepEqual(last[0]?.metadata.labels, { shard: 's1' });
  assert.equal(last[0]?.metadata.resourceVersion, '103');
});

test('what is not to be kept is as if it did not exist', async (t) => {
  const { api, informer, told, run } = fixture(t, { keep: ({ metadata }) => metadata.labels?.keep === 'yes' });
  api.put('a', { keep: 'yes' });
  api.put('b');
  await run();
  api.put('b', { keep: 'yes' });
  api.put('a');
  api.put('c');
  api.remove('c');
  api.remove('b');
  await until(() => told.length === 4);
  assert.deepEqual(told, ['added a 101', 'added b 103', 'deleted a 101', 'deleted b 107']);
  assert.equal(informer.store.size, 0);
});

test('a handler that throws harms nobody else', async (t) => {
  const { api, informer, told, failures, run } = fixture(t);
  const thrown = new Error('handler');
  informer.addHandler({
    added: () => {
      throw thrown;
    },
  });
  api.put('a');
  await run();
  api.put('b');
  await until(() => told.length === 2 && failures.length === 2);
  assert.deepEqual(failures, [thrown, thrown]);
});

test('an index answers from the present state', async (t) => {
  const { api, informer, told, run } = fixture(t);
  informer.addIndex('owner', ({ metadata }) => (metadata.labels?.owner ? [metadata.labels.owner] : []));
  api.put('a', { owner: 'x' });
  await run();
  api.put('b', { owner: 'x' });
  api.put('a', { owner: 'y' });
  await until(() => told.length === 3);
  assert.deepEqual(
    informer.store.byIndex('owner', 'x').map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('handlers and indexes after the start are a mistake, and so is a second start', async (t) => {
  const { informer, run } = fixture(t);
  await run();
  assert.throws(() => informer.addHandler({}), /already runs/);
  assert.throws(() => informer.addIndex('x', () => []), /already runs/);
  await assert.rejects(informer.run(AbortSignal.abort()), /already runs/);
});

test('waiting for the first list ends with the signal', async (t) => {
  const { informer } = fixture(t);
  const reason = new Error('enough');
  const controller = new AbortController();
  const waiting = assert.rejects(informer.waitForSync(controller.signal), reason);
  controller.abort(reason);
  await waiting;
});

test('a large list is told in slices that let others run', async (t) => {
  const api = new FakeApi();
  api.pageSize = 1000;
  api.refusesWatchList = true;
  for (let i = 0; i < 1000; i += 1) api.put(`object-${i}`);
  let now = 0;
  const clock: Clock = Object.assign(new FakeClock(), { monotonic: () => now });
  const { informer, run } = fixture(t, { clock }, api);
  let turns = 0;
  const told: number[] = [];
  let counting = true;
  const count = (): void => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  informer.addHandler({
    added: () => {
      if (told.length === 0) count();
      now += 1; // each handler call takes 1 ms
      told.push(turns);
    },
  });
  await run();
  counting = false;
  assert.equal(told.length, 1000);
  const inOneTurn = Map.groupBy(told, (turn) => turn)
    .values()
    .map(({ length }) => length);
  assert.ok(Math.max(...inOneTurn) <= 20);
});

type Step = { do: 'put'; name: string; label: string } | { do: 'remove'; name: string } | { do: 'fail' | 'end' | 'compact' | 'turn' };

test('whatever happens, store and handlers end with what the server has', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), name, label: fc.constantFrom('1', '2') }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), name }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('fail', 'end', 'compact', 'turn') }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, refusesWatchList) => {
      const cleanups: (() => unknown)[] = [];
      const { api, clock, informer, failures, run, stop } = fixture(
        { after: (cleanup) => cleanups.push(cleanup as () => unknown) },
        { labelSelector: 'x=1' },
      );
      api.refusesWatchList = refusesWatchList;
      const mirror = new Map<string, KubeObject>();
      informer.addHandler({
        added: (object) => {
          assert.equal(mirror.has(object.metadata.name), false);
          mirror.set(object.metadata.name, object);
        },
        updated: (old, object) => {
          assert.equal(mirror.get(object.metadata.name), old);
          assert.equal(old.metadata.uid, object.metadata.uid);
          assert.notEqual(old.metadata.resourceVersion, object.metadata.resourceVersion);
          mirror.set(object.metadata.name, object);
        },
        deleted: (object) => {
          assert.equal(mirror.get(object.metadata.name)?.metadata.uid, object.metadata.uid);
          mirror.delete(object.metadata.name);
        },
      });
      await run();
      for (const each of steps) {
        if (each.do === 'put') api.put(each.name, { x: each.label });
        else if (each.do === 'remove') api.remove(each.name);
        else if (each.do === 'turn') await clock.advance(500);
        else if (each.do === 'compact') {
          api.compact();
          api.endWatches();
        } else api.endWatches(each.do === 'fail' ? reset : undefined);
      }
      await clock.advance(60_000);
      const truth = api.select('x=1').toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
      for (const view of [informer.store.list(), [...mirror.values()]]) {
        assert.deepEqual(
          view.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name)),
          truth,
        );
      }
      assert.deepEqual(failures, []);
      await stop();
    }),
    { numRuns: 100 },
  );
});
