import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { NotStoppedError, withGrace } from './grace.ts';

const never = new Promise<void>(() => undefined);

test('work that does not end within its grace after the stop is given up', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const outcome = withGrace(never, 15_000, clock, stop.signal).catch((error: unknown) => error);
  await clock.advance(60_000);
  assert.equal(clock.pending, 0, 'no time counts before the stop');
  stop.abort();
  await clock.advance(15_000);
  assert.ok((await outcome) instanceof NotStoppedError);
});

test('work that ends in time leaves no timer behind', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  const outcome = withGrace(work.promise, 15_000, clock, stop.signal);
  stop.abort();
  work.resolve();
  await outcome;
  assert.equal(clock.pending, 0);
});

test('its own error is the outcome', async () => {
  const failed = withGrace(Promise.reject(new Error('no')), 1, new FakeClock(), AbortSignal.abort());
  await assert.rejects(failed, /no/);
});

test('without a limit it is waited for', async () => {
  const clock = new FakeClock();
  const stop = AbortSignal.abort();
  void withGrace(never, Infinity, clock, stop);
  assert.equal(clock.pending, 0);
});
