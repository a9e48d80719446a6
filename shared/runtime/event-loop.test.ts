import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { Slice } from './event-loop.ts';

test('a computation yields once its budget is used up, and then has it anew', async () => {
  const clock = new FakeClock();
  const slice = new Slice(clock);
  let turns = 0;
  const turned = () => {
    turns += 1;
  };

  await clock.advance(9);
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
