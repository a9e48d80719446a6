import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cordonedAnnotation,
  drainAnnotation,
  settlingAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import type { ShardView } from './membership.ts';
import { ringShards } from './ring-shards.ts';
import { shardSettings } from './shard-settings.ts';

const shard = (name: string, ...annotations: string[]): ShardView => {
  const lease = {
    metadata: { name, annotations: Object.fromEntries(annotations.map((key) => [key, 'true'])) },
  };
  return { ring: 'ring', shard: name, state: 'ready', lease, settings: shardSettings(lease) };
};
const usable = (...views: ShardView[]): string[] => ringShards(views).usable.map(({ name }) => name);

test('a shard that settles gets nothing while another can take it', () => {
  assert.deepEqual(usable(shard('a'), shard('b', settlingAnnotation)), ['a']);
});

test('it does when no other can', () => {
  const others = [shard('a', cordonedAnnotation), shard('b', drainAnnotation)];
  assert.deepEqual(usable(...others, shard('c', settlingAnnotation)), ['c']);
});

test('it is ready, and an object that is pinned to it goes there', () => {
  const { ready, pinnable } = ringShards([shard('a'), shard('b', settlingAnnotation)]);
  assert.deepEqual(ready, ['a', 'b']);
  assert.deepEqual([...pinnable].toSorted(), ['a', 'b']);
});

test('two Leases of one name are nobody’s shard', () => {
  assert.deepEqual(usable(shard('a'), shard('a'), shard('b')), ['b']);
});
