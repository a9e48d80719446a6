import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drainLabel, isShardingLabel, labelPath, shardLabel } from './contract.ts';

test('the labels of an object are those of the contract', () => {
  assert.equal(shardLabel('ring'), 'shard.alpha.sharding.timebertt.dev/ring');
  assert.equal(drainLabel('ring'), 'drain.alpha.sharding.timebertt.dev/ring');
});

test('labels that belong to one object are known, of every ring, and no others', () => {
  for (const label of [shardLabel('a'), drainLabel('b'), 'pin.alpha.sharding.timebertt.dev/c']) {
    assert.equal(isShardingLabel(label), true);
  }
  for (const label of ['secret', 'alpha.sharding.timebertt.dev/state', 'example.dev/shard']) {
    assert.equal(isShardingLabel(label), false);
  }
});

test('a label is named in a patch with its special characters escaped', () => {
  assert.equal(labelPath('a.dev/b~c'), '/metadata/labels/a.dev~1b~0c');
});
