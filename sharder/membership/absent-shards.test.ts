import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { AbsentShards } from './absent-shards.ts';

/** Asks for all of them, always in the same order, as lists do; those whose time has run out. */
const over = (absent: AbsentShards, names: string[]): string[] =>
  names.filter((name) => absent.isOver('ring', name));
const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `name-${index}`);

test('of more names than there are places for some are over in time, and the others once these are forgotten', async () => {
  const clock = new FakeClock();
  const absent = new AbsentShards(clock);
  const names = named(10_500);
  assert.deepEqual(over(absent, names), []);
  await clock.advance(15_000);
  const first = over(absent, names);
  assert.deepEqual(first, names.slice(0, 10_000));
  assert.deepEqual(absent.newlyOver(), new Set(['ring']));
  for (const name of first) absent.forget('ring', name);
  const rest = names.slice(10_000);
  assert.deepEqual(over(absent, rest), []);
  await clock.advance(15_000);
  assert.deepEqual(over(absent, rest), rest);
});

test('however many names there are, the time of one whose Lease was deleted runs out', async () => {
  const clock = new FakeClock();
  const absent = new AbsentShards(clock);
  over(absent, named(20_000));
  absent.note('ring', 'deleted', 10_000);
  await clock.advance(10_000);
  over(absent, named(20_000));
  assert.equal(absent.isOver('ring', 'deleted'), true);
});

test('names that nobody asks for any more make room', async () => {
  const clock = new FakeClock();
  const absent = new AbsentShards(clock);
  over(absent, named(10_000));
  await clock.advance(600_000);
  over(absent, ['late']);
  await clock.advance(15_000);
  assert.equal(absent.isOver('ring', 'late'), true);
});
