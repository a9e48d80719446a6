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

test('pages grow to 500 small objects', () => {
  assert.deepEqual(limits(800, 5), [50, 200, 500, 500, 500]);
});

test('pages of large objects have about a MiB', () => {
  assert.deepEqual(limits(100_000, 4), [50, 10, 10, 10]);
  assert.deepEqual(limits(3_000_000, 3), [50, 1, 1]);
});

test('after large objects pages grow again, by four at most, and after an empty page, too', () => {
  const size = new PageSize();
  size.read(50, 50 * 500_000);
  assert.equal(size.limit, 2);
  size.read(2, 1_000);
  assert.equal(size.limit, 8);
  size.read(0, 100);
  assert.equal(size.limit, 32);
});
