import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { ExponentialBackoff } from './exponential-backoff.ts';
import { RateLimitingQueue } from './rate-limiting-queue.ts';

const never = new AbortController().signal;

test('waits double with each failure up to the longest, each key for itself', () => {
  const backoff = new ExponentialBackoff<string>(new FakeClock(), { baseMs: 5, maxMs: 60 });
  const waits = Array.from({ length: 6 }, () => backoff.next('a'));
  assert.deepEqual(waits, [5, 10, 20, 40, 60, 60]);
  assert.equal(backoff.next('b'), 5);
  backoff.forget('a');
  assert.equal(backoff.next('a'), 5);
});

test('the longest wait holds after any number of failures', () => {
  const backoff = new ExponentialBackoff<string>(new FakeClock());
  for (let i = 0; i < 2_000; i += 1) backoff.next('a');
  assert.equal(backoff.next('a'), 60_000);
});

test('failures of keys that nobody comes back to are forgotten after a while', async () => {
  const clock = new FakeClock();
  const backoff = new ExponentialBackoff<string>(clock);
  for (let i = 0; i < 100; i += 1) backoff.next(`gone-${i}`);
  await clock.advance(599_999);
  backoff.next('failing');
  assert.equal(backoff.size, 101);
  await clock.advance(60_000);
  backoff.forget('some success');
  assert.equal(backoff.size, 1);
  assert.equal(backoff.failures('failing'), 1);
});

test('failures that come at the longest wait are not forgotten in between', async () => {
  const clock = new FakeClock();
  const backoff = new ExponentialBackoff<string>(clock, { baseMs: 3_600_000, maxMs: 3_600_000 });
  for (let failures = 1; failures < 5; failures += 1) {
    backoff.next('a');
    assert.equal(backoff.failures('a'), failures);
    await clock.advance(3_600_000);
  }
});

test('waits that make no sense are refused', () => {
  for (const options of [{ baseMs: 0 }, { baseMs: 10, maxMs: 5 }, { baseMs: Number.NaN }]) {
    assert.throws(() => new ExponentialBackoff(new FakeClock(), options), RangeError);
  }
});

test('a key that failed comes back after its wait; one that succeeded starts anew', async () => {
  const clock = new FakeClock();
  const queue = new RateLimitingQueue<string>(clock);
  for (const wait of [5, 10, 20]) {
    queue.addRateLimited('a');
    await clock.advance(wait - 1);
    assert.equal(queue.length, 0);
    await clock.advance(1);
    assert.equal(await queue.get(never), 'a');
    queue.done('a');
  }
  assert.equal(queue.retries('a'), 3);
  queue.forget('a');
  assert.equal(queue.retries('a'), 0);
  queue.addRateLimited('a');
  await clock.advance(5);
  assert.equal(queue.length, 1);
});

test('after a burst of failures keys come back no faster than the overall limit, nor later than the longest wait', async () => {
  const clock = new FakeClock();
  const overall = { perSecond: 10, burst: 3 };
  const queue = new RateLimitingQueue<string>(clock, { baseMs: 5, maxMs: 1_000, overall });
  const at = new Map<string, number>();
  for (let i = 0; i < 20; i += 1) queue.addRateLimited(`key-${i}`);
  for (let ms = 0; ms <= 1_000; ms += 5) {
    while (queue.length > 0) at.set((await queue.get(never)) ?? '', ms);
    await clock.advance(5);
  }
  const expected = Array.from({ length: 20 }, (_, i) => [
    `key-${i}`,
    i < 3 ? 5 : Math.min((i - 2) * 100, 1_000),
  ]);
  assert.deepEqual([...at], expected);
});

test('a retry keeps the priority that it is given', async () => {
  const clock = new FakeClock();
  const queue = new RateLimitingQueue<string>(clock);
  queue.addRateLimited('low', -100);
  await clock.advance(5);
  queue.add('fresh');
  assert.equal(await queue.get(never), 'fresh');
  assert.equal(await queue.get(never), 'low');
});
