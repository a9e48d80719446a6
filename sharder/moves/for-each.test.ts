import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { forEachConcurrently } from './for-each.ts';

const numbers = Array.from({ length: 10 }, (_, index) => index);

test('every item is worked on, so many at a time and no more', async () => {
  const clock = new FakeClock();
  let now = 0;
  let most = 0;
  const seen: number[] = [];
  const all = forEachConcurrently(numbers, 3, async (item) => {
    now += 1;
    most = Math.max(most, now);
    await clock.sleep(10);
    seen.push(item);
    now -= 1;
  });
  await clock.advance(40);
  await all;
  assert.deepEqual(seen, numbers);
  assert.equal(most, 3);
});

test('what is refused for one item keeps no other waiting, and is told in the end', async () => {
  const seen: number[] = [];
  const all = forEachConcurrently(numbers, 2, async (item) => {
    seen.push(item);
    if (item === 1) throw new ApiError(403, 'Forbidden', 'a webhook says no');
  });
  await assert.rejects(all, /a webhook says no/);
  assert.deepEqual(seen, numbers);
});

test('an error that will meet all of them begins no more', async () => {
  for (const error of [
    new ApiError(500, 'InternalError', 'down'),
    new ApiError(429, 'TooManyRequests', 'full'),
    new Error('x'),
  ]) {
    const seen: number[] = [];
    const all = forEachConcurrently(numbers, 2, async (item) => {
      seen.push(item);
      throw error;
    });
    await assert.rejects(all, error);
    assert.deepEqual(seen, [0, 1]);
  }
});
