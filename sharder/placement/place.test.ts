import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { place } from './place.ts';
import { createHasher, placeByHash } from './rendezvous.ts';

const hasher = await createHasher();
const usable = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));

test('an object on a usable shard stays, wherever its hash points', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('a', 'b', 'c'), (key, current) => {
      assert.equal(place({ hasher, key, current, usable }), current);
    }),
  );
});

test('an object without a shard, or on one that is not usable, is placed by hash', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(undefined, 'gone'), (key, current) => {
      assert.equal(place({ hasher, key, current, usable }), placeByHash(hasher, key, usable));
    }),
  );
});

test('without a usable shard there is none for the object', () => {
  assert.equal(place({ hasher, key: 'key', current: 'a', usable: [] }), undefined);
});
