import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './clock.ts';

test('a sleep that is aborted rejects with the reason of the signal', async () => {
  const abort = new AbortController();
  const sleep = systemClock.sleep(60_000, abort.signal);
  const reason = new Error('stop');
  abort.abort(reason);
  await assert.rejects(sleep, (error) => error === reason);
  await assert.rejects(systemClock.sleep(60_000, abort.signal), (error) => error === reason);
});

test('a timer fires once unless it is cancelled', async () => {
  const fired: string[] = [];
  systemClock.after(1, () => fired.push('cancelled'))();
  systemClock.after(1, () => fired.push('kept'));
  await systemClock.sleep(5);
  assert.deepEqual(fired, ['kept']);
});
