import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { WatchEvent } from './api-client.ts';
import { Mirror, WidgetApi, widgets } from './informer-fixture.ts';
import { type Selection, SharedInformers } from './shared-informers.ts';
import { until } from './test-server.ts';
import type { KubeObject } from './types.ts';

const never = new AbortController().signal;
const selection: Selection<KubeObject> = { resource: widgets, form: 'metadata', labelSelector: 'x=1' };

type WatchArguments = Parameters<WidgetApi['watch']>;

function fixture(t: { after(cleanup: () => Promise<void>): void }, api = new WidgetApi(new FakeClock())) {
  const shared = new SharedInformers({ client: api, clock: new FakeClock(), logger: silentLogger });
  const stopping = new AbortController();
  const run = (): Promise<void> => {
    const running = shared.run(stopping.signal);
    t.after(async () => {
      stopping.abort();
      await running;
    });
    return running;
  };
  return { api, shared, stopping, run };
}

test('the users of one selection share a watch, acquired before the start or after', async (t) => {
  const { api, shared, run } = fixture(t);
  api.put('a', { x: '1' });
  const first = shared.acquire(selection);
  void run();
  await shared.waitForSync(never);
  const second = shared.acquire({ ...selection, namespace: undefined });
  const other = shared.acquire({ ...selection, labelSelector: 'x=2' });
  assert.equal(second.informer, first.informer);
  assert.notEqual(other.informer, first.informer);
  await shared.waitForSync(never);
  assert.equal(api.calls.length, 2);
  const late = new Mirror();
  await second.informer.addHandler(late).waitForSync(never);
  assert.deepEqual([...late.objects.keys()], ['a']);
});

for (const [what, change] of Object.entries<Partial<Selection<KubeObject>>>({
  resource: { resource: { ...widgets, resource: 'secrets' } },
  version: { resource: { ...widgets, version: 'v2' } },
  form: { form: 'full' },
  namespace: { namespace: 'x' },
  'label selector': { labelSelector: 'x=2' },
  'field selector': { fieldSelector: 'x=1' },
})) {
  test(`another ${what} is another selection`, () => {
    const shared = new SharedInformers({
      client: new WidgetApi(new FakeClock()),
      clock: new FakeClock(),
      logger: silentLogger,
    });
    const { informer } = shared.acquire(selection);
    assert.notEqual(shared.acquire({ ...selection, ...change }).informer, informer);
  });
}

test("the last user's release ends the watch; a release counts once", async (t) => {
  const { api, shared, run } = fixture(t);
  void run();
  const [first, second] = [shared.acquire(selection), shared.acquire(selection)];
  await until(() => api.watchers === 1);
  await first.release();
  await first.release();
  assert.equal(api.watchers, 1);
  await second.release();
  assert.equal(api.watchers, 0);
  const third = shared.acquire(selection);
  assert.notEqual(third.informer, first.informer);
  await first.release();
  assert.equal(shared.acquire(selection).informer, third.informer);
  await shared.waitForSync(never);
  assert.equal(api.watchers, 1);
});

test('what is released before the start is never watched', async (t) => {
  const { api, shared, run } = fixture(t);
  await shared.acquire(selection).release();
  shared.acquire({ ...selection, labelSelector: 'x=2' });
  void run();
  await shared.waitForSync(never);
  assert.equal(api.calls.length, 1);
});

test('waiting for all does not wait for what is released meanwhile', async (t) => {
  const { shared, run } = fixture(t);
  const { release } = shared.acquire(selection);
  const waiting = shared.waitForSync(never);
  await release();
  await waiting;
  shared.acquire(selection);
  const reason = new Error('enough');
  await assert.rejects(shared.waitForSync(AbortSignal.abort(reason)), reason);
  void run();
});

test('a projection is part of the cache: another one for the same selection is refused', async (t) => {
  const { api, shared, run } = fixture(t);
  api.put('a', { x: '1' });
  const project = ({ metadata: { name, uid = '' } }: KubeObject): KubeObject => ({ metadata: { name, uid } });
  const { informer } = shared.acquire({ ...selection, project });
  assert.throws(
    () => shared.acquire(selection),
    /informer of widgets.example.com v1 metadata x=1: in use with another `project`, give the same function/,
  );
  assert.equal(shared.acquire({ ...selection, project }).informer, informer);
  void run();
  await shared.waitForSync(never);
  assert.deepEqual(informer.store.list(), [{ metadata: { name: 'a', uid: 'uid-1' } }]);
});

test('an index can be added right after an informer was acquired', async (t) => {
  const { api, shared, run } = fixture(t);
  api.put('a', { x: '1' });
  void run();
  const { informer } = shared.acquire(selection);
  informer.addIndex('name', ({ metadata }) => [metadata.name]);
  await shared.waitForSync(never);
  assert.equal(informer.store.byIndex('name', 'a').length, 1);
});

test('the end, of one and of all, is when the watches have ended', async (t) => {
  const closed = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  class SlowToClose extends WidgetApi {
    override async *watch<T extends KubeObject>(...args: WatchArguments): AsyncGenerator<WatchEvent<T>> {
      const closing = closed[this.calls.length];
      try {
        yield* super.watch<T>(...args);
      } finally {
        await closing?.promise;
      }
    }
  }
  const { api, shared, stopping, run } = fixture(t, new SlowToClose(new FakeClock()));
  const [first] = [selection, { ...selection, labelSelector: 'x=2' }].map((each) => shared.acquire(each));
  const ends: string[] = [];
  const all = run().then(() => ends.push('all'));
  await until(() => api.watchers === 2);
  const one = first?.release().then(() => ends.push('one'));
  stopping.abort();
  await until(() => api.watchers === 0);
  ends.push('watches closing');
  closed[0]?.resolve();
  await one;
  ends.push('second watch closing');
  closed[1]?.resolve();
  await all;
  assert.deepEqual(ends, ['watches closing', 'one', 'second watch closing', 'all']);
});

test('the signal ends all, and nothing is acquired afterwards', async (t) => {
  const { api, shared, stopping, run } = fixture(t);
  shared.acquire(selection);
  const running = run();
  await assert.rejects(shared.run(never), /already run/);
  shared.acquire({ ...selection, labelSelector: 'x=2' });
  await until(() => api.watchers === 2);
  stopping.abort();
  await running;
  assert.equal(api.watchers, 0);
  assert.throws(() => shared.acquire(selection), /have ended/);
});
