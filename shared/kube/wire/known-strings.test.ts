import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KnownStrings } from './known-strings.ts';

test('a string is the same whatever was read before', () => {
  const known = new KnownStrings();
  const text = fc.string({ unit: 'binary', maxLength: 80 }).map((each) => each.toWellFormed());
  fc.assert(
    fc.property(text, fc.nat({ max: 5 }), (each, offset) => {
      const bytes = Buffer.from(`${'.'.repeat(offset)}${each}..`);
      assert.equal(known.read(bytes, offset, bytes.length - 2), each);
      assert.equal(known.read(bytes, offset, bytes.length - 2), each);
    }),
    { numRuns: 1_000 },
  );
});

test('strings that differ only where nobody looks at first are told apart', () => {
  const known = new KnownStrings();
  for (const text of ['abcde', 'xbcde', 'abcde', 'axcde', 'abcxe']) {
    assert.equal(known.read(Buffer.from(text), 0, 5), text);
  }
});
