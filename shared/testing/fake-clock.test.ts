import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './fake-clock.ts';

test('timers fire at their time, in their order, also those set meanwhile', async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  const note = (name: string) => () => void fired.push(`${name}@${clock.monotonic()}`);
  clock.after(20, note('b'));
  clock.after(10, () => {
    note('a')();
    clock.after(5, note('nested'));
  });
  clock.after(20, note('c'));
  clock.after(31, note('late'));
  await clock.advance(30);
  assert.deepEqual(fired, ['a@10', 'nested@15', 'b@20', 'c@20']);
  assert.equal(clock.monotonic(), 30);
  assert.equal(clock.pending, 1);
});

test('a loop that sleeps runs as often as its time passes', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let rounds = 0;
  const loop = (async () => {
    for (;;) {
      await clock.sleep(10, stop.signal);
      rounds += 1;
    }
  })();
  await clock.advance(35);
  assert.equal(rounds, 3);
  stop.abort(new Error('enough'));
  await assert.rejects(loop, /enough/);
  assert.equal(clock.pending, 0);
});

test('a cancelled timer does not fire, and a sleep does not begin once aborted', async () => {
  const clock = new FakeClock();
  let fired = false;
  clock.after(5, () => {
    fired = true;
  })();
  await clock.advance(10);
  assert.equal(fired, false);
  await assert.rejects(clock.sleep(1, AbortSignal.abort(new Error('no'))), /no/);
});

test('the time of day goes with it', async () => {
  const clock = new FakeClock(new Date('2026-01-01T00:00:00.000Z'));
  await clock.advance(1500);
  assert.equal(clock.now().toISOString(), '2026-01-01T00:00:01.500Z');
});
