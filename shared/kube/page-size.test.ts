import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PageSize } from './page-size.ts';

/** The limits of the pages of a list whose objects have that many bytes. */
function limits(bytesPerObject: number, pages: number): number[] {
  const size = new PageSize();
  return Array.from({ length: pages }, () => {
    const { limit } = size;
    size.read(limit, limit * bytesPerObject);
    return limit;
  });
}

test('pages grow to 1,000 small objects', () => {
  assert.deepEqual(limits(800, 5), [50, 200, 800, 1_000, 1_000]);
});

test('pages of large objects have about 4 MiB', () => {
  assert.deepEqual(limits(100_000, 4), [50, 41, 41, 41]);
  assert.deepEqual(limits(3_000_000, 3), [50, 1, 1]);
});

test('after large objects pages grow again, by four at most, and after an empty page, too', () => {
  const size = new PageSize();
  size.read(50, 50 * 500_000);
  assert.equal(size.limit, 8);
  size.read(8, 1_000);
  assert.equal(size.limit, 32);
  size.read(0, 100);
  assert.equal(size.limit, 128);
});
