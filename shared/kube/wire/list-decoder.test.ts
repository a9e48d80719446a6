import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { listDecoder } from './list-decoder.ts';

/** What a list holds whose text is given in pieces that end at the cuts; the pieces are overwritten once they were read. */
function decoded(text: string, cuts: readonly number[]) {
  const bytes = new TextEncoder().encode(text);
  const decoder = listDecoder<unknown>('application/json');
  const items: unknown[] = [];
  let start = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    const end = Math.max(start, Math.min(cut, bytes.length));
    const piece = bytes.slice(start, end);
    items.push(...decoder.items(piece));
    piece.fill(0);
    start = end;
  }
  const { items: last, ...rest } = decoder.end();
  decoder.close();
  return { items: [...items, ...last], ...rest };
}

const json = fc.json().map((text): unknown => JSON.parse(text));

test('a list is the same wherever its pieces end, whatever its items look like', () => {
  const item = fc.oneof(
    fc.record({ metadata: fc.record({ name: fc.string({ unit: 'binary' }), more: json }), data: json }),
    // Items that hold what stands between items.
    fc.record({
      metadata: fc.record({ name: fc.constant('},{"metadata":{') }),
      list: fc.array(fc.record({ metadata: json, other: json }), { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('Odd'), metadata: json }),
  );
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), fc.array(fc.nat({ max: 2_000 })), (items, cuts) => {
      const list = { kind: 'List', metadata: { resourceVersion: '7', continue: 'more' }, items };
      const text = JSON.stringify(list);
      const raw: { items: unknown[] } = JSON.parse(text);
      assert.deepEqual(decoded(text, cuts), { items: raw.items, resourceVersion: '7', continue: 'more' });
    }),
    { numRuns: 300 },
  );
});

test('lists without items, with null items, and with items before the metadata are read, too', () => {
  const metadata = { resourceVersion: '7' };
  const nothing = { items: [], resourceVersion: '7', continue: undefined };
  for (const list of [{ metadata, items: [] }, { metadata, items: null }, { metadata }]) {
    assert.deepEqual(decoded(JSON.stringify(list), []), nothing);
  }
  const items = [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }];
  assert.deepEqual(decoded(JSON.stringify({ items, metadata }), [20]), { ...nothing, items });
});

test('a list that ends too early, or is none, is an error', () => {
  const text = JSON.stringify({
    metadata: { resourceVersion: '7' },
    items: [{ metadata: {} }, { metadata: {} }],
  });
  for (let end = 0; end < text.length; end += 1) {
    assert.throws(() => decoded(text.slice(0, end), [10, 40]), { code: 'KUBE_RESPONSE' }, text.slice(0, end));
  }
  assert.throws(() => decoded('<html>', []), { code: 'KUBE_RESPONSE' });
});
