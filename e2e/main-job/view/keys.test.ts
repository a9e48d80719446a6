import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionsOf } from './keys.ts';

test('each key has its action, capital letters, too', () => {
  assert.deepEqual(actionsOf('askclq'), ['add', 'stop', 'kill', 'create', 'kill-leader', 'quit']);
  assert.deepEqual(actionsOf('puwod'), ['pin', 'unpin', 'weight', 'cordon', 'drain']);
  assert.deepEqual(actionsOf('A'), ['add']);
});

test('Ctrl-C and Ctrl-D quit', () => {
  assert.deepEqual(actionsOf('\u0003'), ['quit']);
  assert.deepEqual(actionsOf('\u0004'), ['quit']);
});

test('other keys do nothing, even if their sequence contains a letter', () => {
  assert.deepEqual(actionsOf('xyz 1\r\n'), []);
  assert.deepEqual(actionsOf('\u001B[A\u001BOQ\u001B[1;5C\u001B[15~'), []);
  assert.deepEqual(actionsOf('\u001Ba'), []);
  assert.deepEqual(actionsOf('\u001B'), []);
  assert.deepEqual(actionsOf('\u001B[Aa'), ['add']);
});
