import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movesToLevel } from './shares.ts';

const moves = (...loads: number[]): number =>
  movesToLevel(loads.map((load, index) => ({ name: `s${index}`, weight: 1, load })));

test('levelling moves what lies above the shares', () => {
  assert.equal(moves(100, 100, 100, 0), 75);
  assert.equal(moves(101, 100, 100, 0), 75);
  assert.equal(moves(150, 50), 50);
});

test('levelling moves nothing while the ring is level', () => {
  assert.equal(moves(105, 95), 0);
  assert.equal(moves(), 0);
});

test('at the edge of the band the sharder may have decided either way', () => {
  assert.equal(moves(108, 92), 0);
  assert.equal(moves(110, 90), 10);
});

test('shares are in proportion to the weights, and pinned objects stay', () => {
  const heavy = { name: 'a', weight: 2, load: 100 };
  assert.equal(movesToLevel([heavy, { name: 'b', weight: 1, load: 100 }]), 33);
  assert.equal(movesToLevel([heavy, { name: 'b', weight: 1, load: 100, fixed: 80 }]), 20);
});
