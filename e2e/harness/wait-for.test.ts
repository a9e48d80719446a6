import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './wait-for.ts';

test('waiting ends with the first thing found', async () => {
  const looks = [undefined, false, 0] as const;
  let look = 0;
  assert.equal(await waitFor('it', () => looks[look++], { everyMs: 1 }), 0);
});

test('waiting in vain names what was waited for', async () => {
  await assert.rejects(
    waitFor('a miracle', () => undefined, { timeoutMs: 5, everyMs: 1 }),
    /0.005 s in vain for a miracle/,
  );
});

test('waiting ends at once when aborted', async () => {
  const abort = new AbortController();
  const waiting = waitFor('nothing', () => undefined, { signal: abort.signal, everyMs: 60_000 });
  const reason = new Error('enough');
  const rejected = assert.rejects(waiting, reason);
  abort.abort(reason);
  await rejected;
});
