import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bar, formatElapsed } from './status-text.ts';

test('elapsed time reads as a clock', () => {
  assert.equal(formatElapsed(900), '0:00');
  assert.equal(formatElapsed(65_000), '1:05');
  assert.equal(formatElapsed(600_000), '10:00');
  assert.equal(formatElapsed(3_665_000), '1:01:05');
});

test('a bar is as long at every share', () => {
  assert.equal(bar(0), '░'.repeat(24));
  assert.equal(bar(0.5), '█'.repeat(12) + '░'.repeat(12));
  assert.equal(bar(1.2), '█'.repeat(24));
});
