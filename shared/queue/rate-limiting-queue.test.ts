import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { ExponentialBackoff } from './exponential-backoff.ts';
import { RateLimitingQueue } from './rate-limiting-queue.ts';

const never = new AbortController().signal;

test('waits double with each failure up to the longest, each key for itself', () => {
  const backoff = new ExponentialBackoff<string>({ baseMs: 5, maxMs: 60 });
  const waits = Array.from({ length: 6 }, () => backoff.next('a'));
  assert.deepEqual(waits, [5, 10, 20, 40, 60, 60]);
  assert.equal(backoff.next('b'), 5);
  backoff.forget('a');
  assert.equal(backoff.next('a'), 5);
});

test('the longest wait holds after any number of failures', () => {
  const backoff = new ExponentialBackoff<string>();
  for (let i = 0; i < 2_000; i += 1) backoff.next('a');
  assert.equal(backoff.next('a'), 60_000);
});

test('waits that make no sense are refused', () => {
  for (const options of [{ baseMs: 0 }, { baseMs: 10, maxMs: 5 }, { baseMs: Number.NaN }]) {
    assert.throws(() => new ExponentialBackoff(options), RangeError);
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
