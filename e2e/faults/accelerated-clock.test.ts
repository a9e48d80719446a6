import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcceleratedClock } from './accelerated-clock.ts';

test('minutes pass in milliseconds', async () => {
  const clock = new AcceleratedClock(10_000);
  const before = clock.monotonic();
  const began = performance.now();
  await clock.sleep(60_000);
  await new Promise<void>((resolve) => clock.after(60_000, resolve));
  assert.ok(clock.monotonic() - before >= 110_000); // timers may fire a fraction of a millisecond early
  assert.ok(performance.now() - began < 10_000);
});

test('a timer that is cancelled does not fire, and a sleep ends with its signal', async () => {
  const clock = new AcceleratedClock(1000);
  let fired = false;
  clock.after(1000, () => {
    fired = true;
  })();
  await clock.sleep(20_000);
  assert.equal(fired, false);
  await assert.rejects(clock.sleep(60_000, AbortSignal.abort(new Error('enough'))), /enough/);
});

test('the time of day jumps alone, and so does the monotonic clock', () => {
  const clock = new AcceleratedClock(1);
  const before = clock.monotonic();
  clock.setWallClock(86_400_000);
  assert.ok(clock.now().getTime() - Date.now() > 86_000_000);
  assert.ok(clock.monotonic() - before < 60_000);
  clock.setWallClock(-86_400_000);
  clock.leap(600_000);
  assert.ok(clock.monotonic() - before >= 600_000);
  assert.ok(Math.abs(clock.now().getTime() - Date.now()) < 60_000);
});
