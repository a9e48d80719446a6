import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DrainHints } from './drain-hints.ts';

test('a hint is the last target, and is given once', () => {
  const hints = new DrainHints();
  hints.remember('u', 'a');
  hints.remember('u', 'b');
  assert.equal(hints.take('u'), 'b');
  assert.equal(hints.take('u'), undefined);
});

test('of too many hints the oldest are dropped', () => {
  const hints = new DrainHints();
  for (let number = 0; number <= 10_000; number += 1) hints.remember(`u${number}`, 'a');
  assert.equal(hints.take('u0'), undefined);
  assert.equal(hints.take('u1'), 'a');
  assert.equal(hints.take('u10000'), 'a');
});
