import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AdaptiveLimit } from './adaptive-limit.ts';

/** Answers of that latency, as fast as the limit allows, for so many ms. */
function serve(limit: AdaptiveLimit, from: number, ms: number, latencyOf: (inUse: number) => number): number {
  let now = from;
  while (now < from + ms) {
    const inUse = limit.value;
    const latencyMs = latencyOf(inUse);
    now += latencyMs;
    for (let answer = 0; answer < inUse; answer += 1) limit.answered(latencyMs, inUse, now);
  }
  return now;
}

test('it grows to the most within a few answers of an API server that has time', () => {
  const limit = new AdaptiveLimit(100);
  assert.equal(limit.value, 10);
  serve(limit, 0, 50, () => 10);
  assert.equal(limit.value, 100);
});

test('it grows only while it is used', () => {
  const limit = new AdaptiveLimit(100);
  for (let answer = 0; answer < 1_000; answer += 1) limit.answered(5, 1, answer * 5);
  assert.equal(limit.value, 10);
});

test('it is halved by an overload, once for all that was under way, and grows again by one at a time', () => {
  const limit = new AdaptiveLimit(100);
  const now = serve(limit, 0, 100, () => 10);
  for (let request = 0; request < 100; request += 1) limit.overloaded(now);
  assert.equal(limit.value, 50);
  limit.overloaded(now + 1_000);
  assert.equal(limit.value, 25);
  serve(limit, now + 2_000, 30, () => 10);
  assert.equal(limit.value, 28);
});

test('of an API server that bears less it takes what that bears, and no more', () => {
  // 4 at a time take 100 ms each; whatever is more waits.
  const capacity = 4;
  const limit = new AdaptiveLimit(100);
  for (let answer = 0; answer < 20; answer += 1) limit.answered(100, 1, answer * 100);
  serve(limit, 2_000, 60_000, (inUse) => Math.max(100, (inUse / capacity) * 100));
  // Four times the least latency is acceptable, and one more is tried at a time.
  assert.ok(limit.value >= capacity && limit.value <= 4 * capacity + 1, String(limit.value));
});

test('an API server that is far away is not one that is slow', () => {
  const limit = new AdaptiveLimit(100);
  serve(limit, 0, 5_000, () => 200);
  assert.equal(limit.value, 100);
});

test('one that is further away than before is taken as it is', () => {
  const limit = new AdaptiveLimit(100);
  const now = serve(limit, 0, 1_000, () => 50);
  serve(limit, now, 200_000, () => 500);
  assert.equal(limit.value, 100);
});

test('whatever happens it stays between one and the most, and recovers', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('answered'), ms: fc.nat(10_000) }),
    fc.record({ kind: fc.constant('overloaded'), ms: fc.nat(10_000) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(step, { maxLength: 300 }), (most, steps) => {
      const limit = new AdaptiveLimit(most);
      let now = 0;
      for (const { kind, ms } of steps) {
        now += ms;
        if (kind === 'answered') limit.answered(ms, limit.value, now);
        else limit.overloaded(now);
        assert.ok(limit.value >= 1 && limit.value <= most);
      }
      serve(limit, now + 1_000, 10_000, () => 10);
      assert.equal(limit.value, most);
    }),
    { numRuns: 200 },
  );
});
