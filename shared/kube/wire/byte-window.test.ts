import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteWindow } from './byte-window.ts';

test('what is appended is read in order, whatever is consumed in between', () => {
  const step = fc.oneof(
    fc.record({ append: fc.uint8Array({ maxLength: 300_000 }) }),
    fc.record({ consume: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const window = new ByteWindow();
      let expected = Buffer.alloc(0);
      for (const each of steps) {
        if ('append' in each) {
          window.append(each.append);
          expected = Buffer.concat([expected, each.append]);
        } else {
          const length = Math.floor(each.consume * expected.length);
          window.consume(length);
          expected = expected.subarray(length);
        }
        assert.ok(window.unread.equals(expected));
        assert.equal(window.length, expected.length);
      }
      window.close();
    }),
    { numRuns: 100 },
  );
});

test('what is being read stays as it is while more comes', () => {
  const window = new ByteWindow();
  window.append(Buffer.from('first'));
  const { unread } = window;
  window.append(Buffer.alloc(2_000_000, 1));
  assert.equal(unread.toString(), 'first');
  window.close();
});
