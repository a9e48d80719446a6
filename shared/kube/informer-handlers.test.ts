import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { yieldToEventLoop } from '../runtime/event-loop.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { fixture, Mirror } from './informer-fixture.ts';
import { InformerHandlers } from './informer-handlers.ts';
import { Store } from './store.ts';
import { until } from './test-server.ts';
import type { KubeObject } from './types.ts';

const never = new AbortController().signal;

test('a handler that throws, or whose promise rejects, harms nobody else', async (t) => {
  const { api, informer, told, failures, run } = fixture(t);
  const thrown = new Error('handler');
  informer.addHandler({
    added: () => {
      throw thrown;
    },
  });
  const rejects: () => unknown = () => Promise.reject(thrown);
  informer.addHandler({ added: rejects });
  api.put('a');
  await run();
  api.put('b');
  await until(() => told.length === 2 && failures.length === 4);
  assert.deepEqual(failures, [thrown, thrown, thrown, thrown]);
});

test('a handler is told which objects were there at the beginning', async (t) => {
  const { api, informer, told, run } = fixture(t);
  const seen: string[] = [];
  const handler = (name: string) => ({
    added: ({ metadata }: KubeObject, isInInitialList: boolean) =>
      seen.push(`${name} ${metadata.name} ${isInInitialList}`),
  });
  informer.addHandler(handler('early'));
  api.put('a');
  await run();
  api.put('b');
  await until(() => told.length === 2);
  api.compact();
  api.endWatches();
  api.put('c');
  await until(() => told.length === 3);
  await informer.addHandler(handler('late')).waitForSync(never);
  api.put('d');
  await until(() => seen.length === 8);
  assert.deepEqual(seen, [
    'early a true',
    'early b false',
    'early c false',
    'late a true',
    'late b true',
    'late c true',
    'early d false',
    'late d false',
  ]);
});

test('a handler has synced when it was told the first list, an early and a late one', async (t) => {
  const { api, informer, failures, run } = fixture(t);
  api.put('a');
  const early = informer.addHandler({ added: () => assert.equal(early.hasSynced, false) });
  const waiting = early.waitForSync(never);
  await run();
  await waiting;
  assert.equal(early.hasSynced, true);
  const late = informer.addHandler({ added: () => assert.equal(late.hasSynced, false) });
  assert.equal(late.hasSynced, false);
  await late.waitForSync(never);
  assert.deepEqual([late.hasSynced, failures], [true, []]);
});

test('a handler that is removed is told nothing more, in the middle of the list either', async (t) => {
  const { api, informer, told, run } = fixture(t);
  for (const name of ['a', 'b']) api.put(name);
  await run();
  let calls = 0;
  const registration = informer.addHandler({
    added: () => {
      calls += 1;
      registration.remove();
    },
  });
  await assert.rejects(registration.waitForSync(never), /the handler was removed/);
  api.put('c');
  await until(() => told.length === 3);
  await informer.addHandler({}).waitForSync(never);
  const other = informer.addHandler({ deleted: () => (calls += 10) });
  await other.waitForSync(never);
  other.remove();
  api.remove('c');
  await until(() => told.length === 4);
  assert.deepEqual([calls, registration.hasSynced], [1, false]);
});

test('a handler that comes during the first list has synced once it was told what was there before it', async () => {
  const store = new Store<KubeObject>(assert.fail);
  store.set('a', { metadata: { name: 'a' } });
  const handlers = new InformerHandlers(store, new FakeClock(), assert.fail);
  const mirror = new Mirror();
  const registration = handlers.add(mirror, never);
  handlers.listed();
  assert.equal(registration.hasSynced, false);
  await registration.waitForSync(never);
  assert.equal(mirror.objects.size, 1);
});

test('an informer that ended takes no handlers', async (t) => {
  const { informer, run, stop } = fixture(t);
  await run();
  await stop();
  assert.throws(() => informer.addHandler({}), /the informer of widgets.example.com has ended/);
});

/** A clock on which each look takes 10 ms: slices are one object long. */
const hurriedClock = (): FakeClock => {
  let now = 0;
  return Object.assign(new FakeClock(), { monotonic: () => (now += 10) });
};

test('handlers that come late are told everything in slices, together as short as one of them', async () => {
  const store = new Store<KubeObject>(assert.fail);
  for (let i = 0; i < 20; i += 1) store.set(`${i}`, { metadata: { name: `${i}` } });
  const handlers = new InformerHandlers(store, hurriedClock(), assert.fail);
  handlers.listed();
  let turn = 0;
  let counting = true;
  const count = (): void => {
    turn += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const calls: number[] = [];
  const registrations = [1, 2, 3].map(() => handlers.add({ added: () => calls.push(turn) }, never));
  await Promise.all(registrations.map((registration) => registration.waitForSync(never)));
  counting = false;
  assert.equal(calls.length, 60);
  const inOneTurn = [...Map.groupBy(calls, (each) => each).values()].map(({ length }) => length);
  assert.ok(Math.max(...inOneTurn) <= 2, String(inOneTurn));
});

test('what comes again under its name after a late handler knew of its end is told when its turn comes', async () => {
  const [a, b, again, changed] = ['1', '2', '3', '4'].map((resourceVersion) => ({
    metadata: { name: resourceVersion === '2' ? 'b' : 'a', resourceVersion },
  }));
  assert.ok(a && b && again && changed);
  const store = new Store<KubeObject>(assert.fail);
  store.set('a', a);
  store.set('b', b);
  const handlers = new InformerHandlers(store, hurriedClock(), assert.fail);
  const mirror = new Mirror();
  handlers.add(mirror, never);
  await until(() => mirror.objects.size === 1);
  store.delete('a');
  handlers.deleted('a', a);
  store.set('a', again);
  handlers.added('a', again);
  store.set('a', changed);
  handlers.updated('a', again, changed);
  assert.deepEqual([...mirror.objects], []);
  await handlers.idle();
  assert.deepEqual([...mirror.objects.values()], [b, changed]);
});

test('whatever happens while a handler is told what is there, its story adds up to the store', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('set'), name, uid: fc.constantFrom('1', '2') }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), name, uid: fc.constant('') }) },
    { weight: 4, arbitrary: fc.constantFrom({ do: 'join' }, { do: 'leave' }, { do: 'turn' }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const store = new Store<KubeObject>(assert.fail);
      const handlers = new InformerHandlers(store, hurriedClock(), assert.fail);
      handlers.listed();
      const joined: Array<{ mirror: Mirror; remove: () => void }> = [];
      let version = 0;
      for (const each of steps) {
        if ('name' in each) {
          const old = store.get(each.name);
          version += 1;
          const object = { metadata: { name: each.name, uid: each.uid, resourceVersion: String(version) } };
          if (old && old.metadata.uid !== each.uid) {
            store.delete(each.name);
            handlers.deleted(each.name, old);
          }
          if (each.do === 'set') {
            store.set(each.name, object);
            if (old?.metadata.uid === each.uid) handlers.updated(each.name, old, object);
            else handlers.added(each.name, object);
          }
        } else if (each.do === 'join') {
          const mirror = new Mirror();
          const { remove } = handlers.add(mirror, never);
          joined.push({ mirror, remove });
        } else if (each.do === 'leave') joined.shift()?.remove();
        else await yieldToEventLoop();
      }
      await handlers.idle();
      const truth = new Map(store.entries());
      for (const { mirror } of joined) {
        const stale = [...mirror.objects].filter(([key, object]) => truth.get(key) !== object);
        assert.deepEqual([mirror.objects.size, stale], [truth.size, []]);
      }
    }),
    { numRuns: 1_000 },
  );
});
