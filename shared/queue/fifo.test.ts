import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from './fifo.ts';

test('items come out as they went in, across the compaction of a long queue', () => {
  const fifo = new Fifo<number>();
  const out: (number | undefined)[] = [];
  for (let i = 0; i < 5_000; i += 1) {
    fifo.push(i);
    if (i % 3 === 0) out.push(fifo.shift());
  }
  while (fifo.length > 0) out.push(fifo.shift());
  assert.deepEqual(
    out,
    Array.from({ length: 5_000 }, (_, i) => i),
  );
  assert.equal(fifo.shift(), undefined);
});

test('a cleared queue is empty and goes on', () => {
  const fifo = new Fifo<string>();
  fifo.push('a');
  fifo.clear();
  fifo.push('b');
  assert.equal(fifo.length, 1);
  assert.equal(fifo.shift(), 'b');
});
