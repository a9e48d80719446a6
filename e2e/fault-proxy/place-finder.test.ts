import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Place } from './fault.ts';
import { PlaceFinder } from './place-finder.ts';

const body = 'first\nsecond\nthird\n';

const rows: [place: Exclude<Place, 'request' | 'answer'>, before: string][] = [
  ['head', ''],
  [{ bytes: 0 }, ''],
  [{ bytes: 3 }, 'fir'],
  [{ bytes: 6 }, 'first\n'],
  [{ lines: 1 }, 'first\n'],
  [{ lines: 1, bytes: 2 }, 'first\nse'],
  [{ lines: 2 }, 'first\nsecond\n'],
  [{ lines: 3 }, body],
  [{ bytes: body.length }, body],
  [{ lines: 4 }, `${body} (never)`],
];

for (const [place, before] of rows) {
  test(`${JSON.stringify(place)} is behind ${JSON.stringify(before)}, however the body is cut`, () => {
    for (let size = 1; size <= body.length; size += 1) {
      const finder = new PlaceFinder(place);
      let passed = '';
      let found = finder.here;
      for (let start = 0; start < body.length && !found; start += size) {
        const chunk = Buffer.from(body).subarray(start, start + size);
        const taken = finder.find(chunk);
        passed += chunk.toString('utf8', 0, taken ?? chunk.length);
        found = taken !== undefined;
      }
      assert.equal(found ? passed : `${passed} (never)`, before, `pieces of ${size}`);
    }
  });
}
