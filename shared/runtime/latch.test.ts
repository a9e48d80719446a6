import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Latch } from './latch.ts';

const never = new AbortController().signal;

test('those who wait go on when the latch opens, and those who come later at once', async () => {
  const latch = new Latch();
  const waiting = Promise.all([latch.wait(never), latch.wait(never)]);
  assert.equal(latch.isOpen, false);
  latch.open();
  await waiting;
  await latch.wait(never);
  assert.equal(latch.isOpen, true);
});

test('waiting ends with the reason of the signal', async () => {
  const latch = new Latch();
  const controller = new AbortController();
  const reason = new Error('enough');
  const waiting = assert.rejects(latch.wait(controller.signal), reason);
  controller.abort(reason);
  await waiting;
  latch.open();
  await assert.rejects(latch.wait(controller.signal), reason);
});
