import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secret, time, work } from './hand-made.ts';
import { InOrder } from './in-order.ts';

test('events of several sources come out in the order of their time, up to the watermark', () => {
  const inOrder = new InOrder();
  const events = [work('begin', 30, 'a', 'u'), secret(10, 'u'), work('end', 50, 'a', 'u'), secret(20, 'u')];
  for (const event of events) inOrder.push(event);
  assert.deepEqual(
    inOrder.release(40).map(({ at, kind }) => [at, kind]),
    [
      [10, 'object'],
      [20, 'object'],
      [30, 'reconcile-begin'],
      [40, 'time'],
    ],
  );
  assert.deepEqual(inOrder.release(60), [work('end', 50, 'a', 'u'), time(60)]);
});

test('of one moment, what came first goes first', () => {
  const inOrder = new InOrder();
  inOrder.push(secret(10, 'u', 'a'));
  inOrder.push(secret(10, 'u', 'b'));
  assert.deepEqual(inOrder.release(10), [secret(10, 'u', 'a'), secret(10, 'u', 'b'), time(10)]);
});
