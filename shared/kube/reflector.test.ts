import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './errors.ts';
import { fixture, reset } from './informer-fixture.ts';
import { until } from './test-server.ts';

test('where watch lists are refused, a paged list is used from then on', async (t) => {
  const { api, informer, health, run } = fixture(t);
  api.refusesWatchList = true;
  for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(name);
  await run();
  assert.deepEqual([...informer.store.keys()], ['a', 'b', 'c', 'd', 'e']);
  api.put('f');
  await until(() => informer.store.size === 6);
  api.compact();
  api.endWatches(new ApiError(410, 'Expired', 'too old'));
  await until(() => api.calls.length === 5 && api.watchers === 1);
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
  assert.equal(api.calls[1]?.resourceVersion, '1001');
  assert.deepEqual(health, ['connected', 'progress', 'connected', 'progress']);
  assert.equal(clock.monotonic(), 0);
});

test('after a 410 the list is compared: missed deletes with their last state, same names with other uids', async (t) => {
  const { api, clock, informer, told, run } = fixture(t);
  for (const name of ['same', 'changed', 'deleted']) api.put(name);
  await run();
  api.put('recreated');
  await until(() => told.length === 4);
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
    'deleted deleted 1003',
    'updated changed 1005',
    'added new 1009',
    'deleted recreated 1004',
    'added recreated 1008',
  ]);
  assert.equal(informer.store.size, 4);
  assert.equal(clock.monotonic(), 0);
});

test('a 410 right after a list waits before the next one', async (t) => {
  const { api, clock, run } = fixture(t);
  await run();
  api.endWatches(new ApiError(410, 'Expired', 'too old'));
  await clock.advance(799);
  assert.equal(api.calls.length, 1);
  await clock.advance(1);
  assert.equal(api.calls[1]?.sendInitialEvents, true);
});

test('a failing server is tried again and again, with growing waits of at most 10 s', async (t) => {
  const { api, clock, health, told, run } = fixture(t);
  await run();
  api.goDown(reset);
  await until(() => health.length === 2);
  assert.equal(health[1], 'disconnected: TransportError: connection reset');
  const attempts: number[] = [];
  for (let second = 1; second <= 600; second += 1) {
    const before = api.calls.length;
    await clock.advance(1_000);
    if (api.calls.length > before) attempts.push(second);
  }
  assert.deepEqual(attempts.slice(0, 6), [1, 3, 6, 12, 22, 32]);
  const waits = attempts.slice(6).map((second, index) => second - (attempts[index + 5] ?? 0));
  assert.ok(waits.length > 15 && waits.every((wait) => wait === 10), String(waits));
  api.comeUp();
  api.put('a');
  await clock.advance(30_000);
  assert.deepEqual(told, ['added a 1001']);
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
  api.hold();
  await clock.advance(89_999);
  assert.equal(api.watchers, 1);
  await clock.advance(1);
  assert.equal(health.at(-1), 'disconnected: TransportError: nothing heard of the watch for 90 s');
  await clock.advance(800);
  assert.equal(health.at(-1), 'connected');
  assert.equal(api.calls[1]?.resourceVersion, '1001');
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
