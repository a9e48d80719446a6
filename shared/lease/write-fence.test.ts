import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../testing/fake-clock.ts';
import { FencedError, WriteFence } from './write-fence.ts';

async function fenceAt(ms: number): Promise<WriteFence> {
  const clock = new FakeClock();
  const fence = new WriteFence(clock, 15_000);
  fence.renewed(0);
  await clock.advance(ms);
  return fence;
}

test('a write starts until 2/3 of the duration after the renewal was sent, and lives 4 s', async () => {
  assert.equal((await fenceAt(0)).permit(), 4_000);
  assert.equal((await fenceAt(9_999)).permit(), 4_000);
  const late = await fenceAt(10_000);
  assert.equal(late.startableMs, 0);
  assert.throws(() => late.permit(), FencedError);
});

test('a fence that was never opened, or is closed, permits nothing', async () => {
  const fence = new WriteFence(new FakeClock(), 15_000);
  assert.equal(fence.startableMs, 0);
  assert.throws(() => fence.permit(), FencedError);
  fence.renewed(0);
  fence.permit();
  fence.close();
  assert.throws(() => fence.permit(), FencedError);
});

test('a closed fence stays closed, whatever answer of a renewal is late', () => {
  const fence = new WriteFence(new FakeClock(), 15_000);
  fence.renewed(0);
  fence.close();
  fence.renewed(0);
  assert.throws(() => fence.permit(), FencedError);
});

test('the answer of an older renewal does not take back a newer one', async () => {
  const clock = new FakeClock();
  const fence = new WriteFence(clock, 15_000);
  await clock.advance(2_000);
  fence.renewed(2_000);
  fence.renewed(1_000);
  assert.equal(fence.startableMs, 10_000);
});

test('whatever the duration, no write starts after 2/3 of it nor lives into its last second', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1_000, max: 60_000 }),
      fc.integer({ min: 0, max: 70_000 }),
      async (durationMs, passedMs) => {
        const clock = new FakeClock();
        const fence = new WriteFence(clock, durationMs);
        fence.renewed(0);
        await clock.advance(passedMs);
        let timeoutMs: number;
        try {
          timeoutMs = fence.permit();
        } catch (error) {
          assert(error instanceof FencedError);
          return;
        }
        assert(passedMs <= (durationMs * 2) / 3);
        assert(timeoutMs > 0 && timeoutMs <= 4_000);
        assert(passedMs + timeoutMs <= durationMs - 1_000);
      },
    ),
    { numRuns: 200 },
  );
});
