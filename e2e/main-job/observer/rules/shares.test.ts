import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLevel, movesToLevel } from './shares.ts';

test('a ring is level within a tenth of the share, or its root when that is more', () => {
  assert.equal(isLevel([]), true);
  assert.equal(isLevel([0, 0]), true);
  assert.equal(isLevel([110, 90]), true);
  assert.equal(isLevel([111, 89]), false);
  assert.equal(isLevel([20, 12]), true);
  assert.equal(isLevel([21, 11]), false);
});

test('levelling moves what lies above the shares, and nothing while the ring is level', () => {
  assert.equal(movesToLevel([100, 100, 100, 0]), 75);
  assert.equal(movesToLevel([101, 100, 100, 0]), 76);
  assert.equal(movesToLevel([105, 95]), 0);
  assert.equal(movesToLevel([150, 50]), 50);
  assert.equal(movesToLevel([]), 0);
});
