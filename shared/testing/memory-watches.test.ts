import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchOptions } from '../kube/api-client.ts';
import { isGone } from '../kube/errors.ts';
import { configMaps, secrets } from '../kube/resources.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryApi, type MemoryApiOptions } from './memory-api.ts';
import type { MemoryClient } from './memory-client.ts';

const at = (name: string) => ({ namespace: 'default', name });

/** A watch from now on, with what it has seen and how it ended. */
function watched(client: MemoryClient, clock: FakeClock, options: Partial<WatchOptions> = {}) {
  const stop = new AbortController();
  const seen: string[] = [];
  const ended: unknown[] = [];
  const follow = async (): Promise<void> => {
    const watching = client.watch(configMaps, 'metadata', {
      signal: stop.signal,
      timeoutSeconds: 300,
      ...options,
    });
    for await (const event of watching) {
      const what = event.type === 'BOOKMARK' ? '' : ` ${event.object.metadata.name}`;
      seen.push(`${clock.monotonic()} ${event.type}${what}`);
    }
  };
  void follow().then(
    () => ended.push('in good order'),
    (error: unknown) => ended.push(error),
  );
  return { seen, ended, stop };
}

function start(options?: MemoryApiOptions) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock, options);
  const add = (...names: string[]): void => {
    for (const name of names) api.seed(configMaps, { metadata: at(name) });
  };
  return { clock, api, add };
}

test('watches are delayed each on its own, and events of one stay in order', async () => {
  const { clock, api, add } = start();
  const delays = [300, 100, 0];
  api.delayWatches(({ user }) => (user === 'slow' ? (delays.shift() ?? 0) : 10));
  const resourceVersion = api.resourceVersion;
  const slow = watched(api.client({ user: 'slow' }), clock, { resourceVersion });
  const fast = watched(api.client({ user: 'fast' }), clock, { resourceVersion });
  await clock.advance(0);
  add('a', 'b', 'c');
  await clock.advance(1_000);
  assert.deepEqual(fast.seen, ['10 ADDED a', '10 ADDED b', '10 ADDED c']);
  assert.deepEqual(slow.seen, ['300 ADDED a', '300 ADDED b', '300 ADDED c']);
});

test('a watch gets a bookmark each minute and before its end, which is in good order', async () => {
  const { clock, api } = start();
  const { seen, ended } = watched(api, clock, { resourceVersion: api.resourceVersion, timeoutSeconds: 100 });
  await clock.advance(100_000);
  assert.deepEqual(seen, ['60000 BOOKMARK', '98000 BOOKMARK']);
  assert.deepEqual(ended, ['in good order']);
  assert.deepEqual(api.watches, []);
});

test('a version that is forgotten is gone, as an event of the watch', async () => {
  const { clock, api, add } = start({ historyLimit: 4 });
  add('a');
  const resourceVersion = api.resourceVersion;
  api.seed(secrets, { metadata: at('other') });
  let opened = 0;
  const options = { resourceVersion, onOpen: () => void (opened += 1) };
  const kept = watched(api, clock, options);
  add('b', 'c');
  await clock.advance(0);
  assert.deepEqual(kept.seen, ['0 ADDED b', '0 ADDED c']);
  add('d', 'e', 'f');
  const late = watched(api, clock, options);
  await clock.advance(0);
  assert(isGone(late.ended[0]));
  assert.equal(opened, 2);
  assert.deepEqual(kept.ended, []);
  api.compact();
  const { ended } = watched(api, clock, { resourceVersion });
  await clock.advance(0);
  assert(isGone(ended[0]));
});

test('a watch that is held until its events are forgotten is closed', async () => {
  const { clock, api, add } = start();
  const { seen, ended } = watched(api, clock, { resourceVersion: api.resourceVersion });
  api.holdWatches(configMaps);
  add('a');
  await clock.advance(0);
  api.compact();
  api.letWatchesGoOn(configMaps);
  await clock.advance(0);
  assert.deepEqual([seen, ended], [[], ['in good order']]);
});

test('watches with initial events are refused when a test wants it', async () => {
  const { clock, api } = start();
  api.refusesWatchList = true;
  const { ended } = watched(api, clock, { sendInitialEvents: true });
  await clock.advance(0);
  assert.equal(ended.length, 1);
  assert.match(
    String(ended[0]),
    /sendInitialEvents is forbidden for watch unless the WatchList feature gate/,
  );
});

test('a version of the future is waited for, a list that needs it is refused after 3 s', async () => {
  const { clock, api, add } = start();
  const resourceVersion = String(Number(api.resourceVersion) + 2);
  const watch = watched(api, clock, { resourceVersion });
  const list = watched(api, clock, { resourceVersion, sendInitialEvents: true });
  add('a');
  await clock.advance(3_000);
  assert.match(String(list.ended[0]), /Too large resource version: 1002, current: 1001/);
  add('b', 'c');
  await clock.advance(0);
  assert.deepEqual(watch.seen, ['3000 ADDED c']);
});

test('a test ends the watches that it means', async () => {
  const { clock, api } = start();
  const one = watched(api.client({ user: 'one' }), clock, { resourceVersion: api.resourceVersion });
  const two = watched(api.client({ user: 'two' }), clock, { resourceVersion: api.resourceVersion });
  await clock.advance(0);
  assert.deepEqual(
    api.watches.map(({ user }) => user),
    ['one', 'two'],
  );
  api.endWatches(({ user }) => user === 'one');
  await clock.advance(0);
  assert.deepEqual([one.ended, two.ended], [['in good order'], []]);
  const reason = new Error('stopped');
  two.stop.abort(reason);
  await clock.advance(0);
  assert.deepEqual(two.ended, [reason]);
});
