import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { listDecoder } from './list-decoder.ts';
import { envelope, field, text as stringField } from './protobuf-fixture.ts';

/** What a list holds whose text is given in pieces that end at the cuts; the pieces are overwritten once they were read. */
function decoded(list: string | Uint8Array, cuts: readonly number[]) {
  const isText = typeof list === 'string';
  const bytes = isText ? new TextEncoder().encode(list) : list;
  const decoder = listDecoder<unknown>(isText ? 'application/json' : 'application/vnd.kubernetes.protobuf');
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

const metadataList = (names: readonly string[]): Uint8Array => {
  const items = names.flatMap((name) =>
    field(2, field(1, [...stringField(1, name), ...stringField(6, '7')])),
  );
  const meta = field(1, [...stringField(2, '9'), ...stringField(3, names.length > 1 ? 'more' : '')]);
  return Uint8Array.from(envelope('PartialObjectMetadataList', [...meta, ...items]));
};

test('a list of metadata in protobuf is the same wherever its pieces end', () => {
  const name = fc.string({ minLength: 1, maxLength: 300 }).map((each) => each.toWellFormed());
  fc.assert(
    fc.property(fc.array(name, { maxLength: 5 }), fc.array(fc.nat({ max: 1_000 })), (names, cuts) => {
      assert.deepEqual(decoded(metadataList(names), cuts), {
        items: names.map((each) => ({
          apiVersion: '',
          kind: '',
          metadata: { name: each, resourceVersion: '7' },
        })),
        resourceVersion: '9',
        continue: names.length > 1 ? 'more' : undefined,
      });
    }),
    { numRuns: 200 },
  );
});

test('a list in protobuf that ends too early, or is none, is an error', () => {
  const bytes = metadataList(['a', 'b']);
  for (let end = 0; end < bytes.length - 4; end += 1) {
    // 4: what follows the list
    assert.throws(() => decoded(bytes.slice(0, end), [10]), { code: 'KUBE_RESPONSE' }, String(end));
  }
  assert.throws(() => decoded(Uint8Array.from([...bytes.slice(0, 3), 7, ...bytes.slice(4)]), []), {
    code: 'KUBE_RESPONSE',
  });
});
