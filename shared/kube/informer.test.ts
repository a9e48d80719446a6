import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Clock } from '../runtime/clock.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeApi } from './fake-api.ts';
import { fixture, reset } from './informer-fixture.ts';
import { until } from './test-server.ts';
import type { KubeObject } from './types.ts';

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
  const { api, informer, told, run } = fixture(t, {
    keep: ({ metadata }) => metadata.labels?.keep === 'yes',
  });
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

type Step =
  | { do: 'put'; name: string; label: string }
  | { do: 'remove'; name: string }
  | { do: 'fail' | 'end' | 'compact' | 'turn' };

test('whatever happens, store and handlers end with what the server has', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), name, label: fc.constantFrom('1', '2') }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), name }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('fail', 'end', 'compact', 'turn') }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, refusesWatchList) => {
      const { api, clock, informer, failures, run, stop } = fixture(
        { after: () => {} },
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
