import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidSlotRing, slotName, slotNumber } from './slot-name.ts';

test('a slot is named by ring and number, and nothing else is a slot', () => {
  for (const number of [0, 1, 9, 10, 9_999])
    assert.equal(slotNumber('ring', slotName('ring', number)), number);
  for (const name of [
    'ring',
    'ring-',
    'ring-01',
    'ring--1',
    'ring-1a',
    'ring-10000',
    'other-1',
    'ring-x-1',
    '1',
  ]) {
    assert.equal(slotNumber('ring', name), undefined, name);
  }
});

test('a ring whose name leaves no room for the number can have no slots', () => {
  assert.equal(invalidSlotRing('x'.repeat(58)), undefined);
  assert.match(invalidSlotRing('x'.repeat(59)) ?? '', /at most 63/);
});
