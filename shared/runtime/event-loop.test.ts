import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { Slice, sampleEventLoopDelay } from './event-loop.ts';

test('a computation yields once its budget is used up, and then has it anew', async () => {
  const clock = new FakeClock();
  const slice = new Slice(clock);
  let turns = 0;
  const turned = () => {
    turns += 1;
  };

  await clock.advance(4);
  setImmediate(turned);
  await slice.maybeYield();
  assert.equal(turns, 0);

  await clock.advance(1);
  turns = 0;
  setImmediate(turned);
  await slice.maybeYield();
  assert.equal(turns, 1);

  setImmediate(turned);
  await slice.maybeYield();
  assert.equal(turns, 1);
});

test('of several computations that yield, each turn of the event loop continues one', async () => {
  let now = 0;
  const clock = Object.assign(new FakeClock(), { monotonic: () => now });
  let turn = 0;
  const counting = setInterval(() => {}, 1_000);
  const count = (): void => {
    turn += 1;
    if (turn < 100) setImmediate(count);
  };
  setImmediate(count);
  const turns = await Promise.all(
    [1, 2, 3].map(async () => {
      const slice = new Slice(clock);
      now += 10;
      await slice.maybeYield();
      return turn;
    }),
  );
  clearInterval(counting);
  assert.equal(new Set(turns).size, 3, turns.join());
});

test('a sample of the delay says how long a blocked event loop kept what was due waiting', async () => {
  const sampled = new Promise<number>((resolve) => {
    sampleEventLoopDelay((delayMs) => {
      if (delayMs > 40) resolve(delayMs);
    });
  });
  const blockedUntil = performance.now() + 200; // the sample is due after 100
  while (performance.now() < blockedUntil);
  const keepAlive = setInterval(() => {}, 1_000);
  const delayMs = await sampled;
  clearInterval(keepAlive);
  assert.ok(delayMs >= 95 && delayMs < 5_000, `${delayMs}`);
});
