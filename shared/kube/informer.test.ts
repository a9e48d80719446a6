import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../testing/fake-clock.ts';
import { fixture, Mirror, reset } from './informer-fixture.ts';
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
  assert.deepEqual(told, ['added a 1001', 'added b 1002']);
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
  assert.deepEqual(told, ['added a 1001', 'updated a 1002', 'deleted a 1003', 'added a 1004']);
  assert.deepEqual(health, ['connected', 'progress', 'progress', 'progress', 'progress']);
  assert.equal(informer.store.get('a')?.metadata.resourceVersion, '1004');
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
  assert.equal(last[0]?.metadata.resourceVersion, '1003');
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
  assert.deepEqual(told, ['added a 1001', 'added b 1003', 'deleted a 1001', 'deleted b 1007']);
  assert.equal(informer.store.size, 0);
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

test('an index that comes after the start is a mistake, unless it is there; so is a second start', async (t) => {
  const { informer, run } = fixture(t);
  const byName = ({ metadata }: KubeObject): string[] => [metadata.name];
  informer.addIndex('name', byName);
  await run();
  informer.addIndex('name', byName);
  assert.throws(
    () => informer.addIndex('name', () => []),
    /index name of widgets.example.com: .* add indexes before/,
  );
  assert.throws(() => informer.addIndex('other', () => []), /already runs/);
  await assert.rejects(informer.run(AbortSignal.abort()), /already runs/);
});

test('an index function that throws costs nothing but its answer, and is told with the object', async (t) => {
  const { api, informer, told, failures, run } = fixture(t);
  const thrown = new Error('no owner');
  informer.addIndex('owner', ({ metadata }) => {
    if (metadata.labels?.owner === undefined) throw thrown;
    return [metadata.labels.owner];
  });
  api.put('a');
  api.put('b', { owner: 'x' });
  await run();
  api.put('a', { owner: 'x' });
  api.put('b');
  await until(() => told.length === 4);
  assert.deepEqual(
    informer.store.byIndex('owner', 'x').map(({ metadata }) => metadata.name),
    ['a'],
  );
  assert.equal(informer.store.size, 2);
  assert.deepEqual(failures, [thrown, thrown]);
});

test('what is projected at ingest is what store, indexes and handlers hold', async (t) => {
  const { api, informer, run } = fixture(t, {
    project: ({ metadata: { name, uid = '', resourceVersion = '', labels } }) => ({
      kind: labels?.colour ?? 'none',
      metadata: { name, uid, resourceVersion },
    }),
  });
  const mirror = new Mirror();
  informer.addHandler(mirror);
  informer.addIndex('colour', ({ kind }) => [kind ?? '']);
  api.put('a', { colour: 'red' });
  await run();
  api.put('a', { colour: 'blue' });
  await until(() => informer.store.get('a')?.metadata.resourceVersion === '1002');
  const [
    {
      metadata: { uid },
    } = { metadata: {} },
  ] = await api.select('colour=blue');
  const kept = { kind: 'blue', metadata: { name: 'a', uid, resourceVersion: '1002' } };
  assert.deepEqual(informer.store.byIndex('colour', 'blue'), [kept]);
  assert.deepEqual([...mirror.objects.values()], [kept]);
});

test('in development, who changes an object of the cache gets an error that names it; in production nothing is frozen', async (t) => {
  for (const environment of ['development', 'production']) {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = environment;
    const { api, informer, failures, run } = fixture(t);
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
    const change = ({ metadata }: KubeObject): void => {
      if (metadata.labels) metadata.labels.changed = 'yes';
    };
    informer.addHandler({ added: change, updated: (_old, now) => change(now), deleted: change });
    api.put('a', { x: '1' });
    await run();
    api.put('a', { x: '1' });
    api.remove('a');
    await until(() => informer.store.size === 0);
    const refused = failures.map((error) => error instanceof TypeError);
    assert.deepEqual(refused, environment === 'production' ? [] : [true, true, true]);
  }
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
  let now = 0;
  const clock = Object.assign(new FakeClock(), { monotonic: () => now });
  const { api, informer, run } = fixture(t, {}, clock);
  api.pageSize = 1000;
  api.refusesWatchList = true;
  for (let i = 0; i < 1000; i += 1) api.put(`object-${i}`);
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
  | { do: 'fail' | 'end' | 'compact' | 'turn' | 'join' };

test('whatever happens, store and handlers end with what the server has', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), name, label: fc.constantFrom('1', '2') }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), name }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('fail', 'end', 'compact', 'turn', 'join') }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, refusesWatchList) => {
      const { api, clock, informer, failures, run, stop } = fixture(
        { after: () => {} },
        { labelSelector: 'x=1' },
      );
      api.refusesWatchList = refusesWatchList;
      const mirrors = [new Mirror()];
      informer.addHandler(mirrors[0] ?? {});
      await run();
      for (const each of steps) {
        if (each.do === 'put') api.put(each.name, { x: each.label });
        else if (each.do === 'remove') api.remove(each.name);
        else if (each.do === 'turn') await clock.advance(500);
        else if (each.do === 'join') {
          mirrors.push(new Mirror());
          informer.addHandler(mirrors.at(-1) ?? {});
        } else if (each.do === 'compact') {
          api.compact();
          api.endWatches();
        } else api.endWatches(each.do === 'fail' ? reset : undefined);
      }
      await clock.advance(60_000);
      const byName = (a: KubeObject, b: KubeObject): number => a.metadata.name.localeCompare(b.metadata.name);
      const truth = (await api.select('x=1')).toSorted(byName);
      for (const view of [informer.store, ...mirrors.map(({ objects }) => objects)]) {
        assert.deepEqual([...view.values()].toSorted(byName), truth);
      }
      assert.deepEqual(failures, []);
      await stop();
    }),
    { numRuns: 200 },
  );
});
