import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../testing/fake-clock.ts';
import { TokenBucket } from './token-bucket.ts';

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} instead of ${expected}`);

test('the burst is there at once; then each waits for its own token, which it has reserved', async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, { perSecond: 10, burst: 2 });
  const waits = Array.from({ length: 5 }, () => bucket.reserve(Infinity));
  for (const [index, expected] of [0, 0, 100, 200, 300].entries()) near(waits[index] ?? Number.NaN, expected);
  await clock.advance(250);
  near(bucket.reserve(Infinity), 150);
});

test('no more than the burst is saved up', async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, { perSecond: 10, burst: 2 });
  await clock.advance(3_600_000);
  assert.deepEqual([bucket.reserve(Infinity), bucket.reserve(Infinity)], [0, 0]);
  near(bucket.reserve(Infinity), 100);
});

test('who will not wait for a token takes none', () => {
  const bucket = new TokenBucket(new FakeClock(), { perSecond: 10, burst: 1 });
  bucket.reserve(0);
  for (let i = 0; i < 10; i += 1) assert.equal(bucket.reserve(50), 50);
  near(bucket.reserve(Infinity), 100);
});

test('in any stretch of time no more come through than the burst and what flows in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(400), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 5 }),
      async (pauses, perSecond, burst) => {
        const clock = new FakeClock();
        const bucket = new TokenBucket(clock, { perSecond, burst });
        const at: number[] = [];
        for (const pause of pauses) {
          await clock.advance(pause);
          at.push(clock.monotonic() + bucket.reserve(Infinity));
        }
        for (let from = 0; from < at.length; from += 1) {
          for (let to = from; to < at.length; to += 1) {
            const seconds = ((at[to] ?? 0) - (at[from] ?? 0)) / 1000;
            assert.ok(to - from + 1 <= burst + seconds * perSecond + 1e-6);
          }
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('a bucket that could never give a token is refused', () => {
  for (const options of [
    { perSecond: 0, burst: 1 },
    { perSecond: Number.POSITIVE_INFINITY, burst: 1 },
    { perSecond: 1, burst: 0 },
    { perSecond: Number.NaN, burst: 1 },
  ]) {
    assert.throws(() => new TokenBucket(new FakeClock(), options), RangeError);
  }
});
