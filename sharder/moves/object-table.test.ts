import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectTableBuilder } from './object-table.ts';

test('a table holds what was added, in its order, however much it is', () => {
  const builder = new ObjectTableBuilder();
  for (let number = 0; number < 5_000; number += 1) builder.add({ high: number, low: -number }, number % 7);
  const { high, low, shard } = builder.build();
  assert.equal(high.length, 5_000);
  assert.deepEqual([high[4_999], low[4_999], shard[4_999]], [4_999, -4_999, 4_999 % 7]);
  assert.deepEqual([high[1_024], low[1_024], shard[1_024]], [1_024, -1_024, 1_024 % 7]);
});

test('an empty table is empty', () => {
  assert.equal(new ObjectTableBuilder().build().shard.length, 0);
});
