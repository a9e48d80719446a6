import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place } from './place.ts';
import { createHasher, placeByHash } from './rendezvous.ts';

const hasher = await createHasher();
const usable = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
const shards = { usable, pinnable: new Set(['a', 'b', 'c', 'cordoned']) };
const byHash = placeByHash(hasher, 'key', usable);

test('without a pin an object is placed by hash', () => {
  assert.equal(place(hasher, 'key', undefined, shards), byHash);
});

for (const pin of ['a', 'b', 'c', 'cordoned']) {
  test(`a pin to ${pin} wins`, () => assert.equal(place(hasher, 'key', pin, shards), pin));
}

for (const pin of ['absent', '', 'A', 'a ']) {
  test(`a pin to "${pin}", which can take nothing, doesn't count`, () => {
    assert.equal(place(hasher, 'key', pin, shards), byHash);
  });
}

test('a pinned object is placed although no shard is usable for others', () => {
  const cordonedOnly = { usable: [], pinnable: new Set(['cordoned']) };
  assert.equal(place(hasher, 'key', 'cordoned', cordonedOnly), 'cordoned');
  assert.equal(place(hasher, 'key', undefined, cordonedOnly), undefined);
});
