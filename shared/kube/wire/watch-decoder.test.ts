import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { field, frame, text, varint } from './protobuf-fixture.ts';
import { type RawEvent, watchDecoder } from './watch-decoder.ts';

/** The events of these bytes, given in pieces that end at the cuts; the pieces are overwritten once they were read. */
function decoded(
  contentType: string,
  bytes: Uint8Array,
  cuts: readonly number[],
): Array<RawEvent<{ metadata?: unknown }> | null> {
  const decoder = watchDecoder<{ metadata?: unknown }>(contentType);
  const events: Array<RawEvent<{ metadata?: unknown }> | null> = [];
  let start = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    const end = Math.max(start, Math.min(cut, bytes.length));
    const piece = bytes.slice(start, end);
    for (const event of decoder.events(piece)) events.push(event);
    piece.fill(0);
    start = end;
  }
  decoder.end();
  decoder.close();
  return events;
}

const linesOf = (events: readonly unknown[]): Uint8Array =>
  new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));

test('events are the same wherever the pieces end, within characters, too', () => {
  const name = fc.string({ unit: 'binary' }).map((each) => each.toWellFormed());
  const event = fc.record({
    type: fc.constant('ADDED'),
    object: fc.record({ metadata: fc.record({ name }) }),
  });
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat({ max: 500 })), (events, cuts) => {
      const raw: unknown[] = JSON.parse(JSON.stringify(events));
      assert.deepEqual(decoded('application/json', linesOf(events), cuts), raw);
    }),
    { numRuns: 100 },
  );
});

test('a stream that ends within an event is not taken for complete', () => {
  assert.throws(() => decoded('application/json', new TextEncoder().encode('{}\n{"a'), []), {
    code: 'KUBE_RESPONSE',
    message: 'the watch ended in the middle of an event',
  });
});

test('a line that is not JSON is no event', () => {
  for (const line of ['', 'null}', '<html>', '{"type":']) {
    const bytes = new TextEncoder().encode(`${line}\n`);
    assert.throws(() => decoded('application/json', bytes, []), { code: 'KUBE_RESPONSE' }, line);
  }
});

test('metadata-only objects in protobuf are read without their managedFields, wherever the pieces end', () => {
  const metadata = [
    ...text(1, 'näme'),
    ...text(3, 'default'),
    ...text(5, 'u-1'),
    ...text(6, '7'),
    ...field(8, [8, ...varint(1_767_323_045)]),
    ...field(11, [...text(1, 'app'), ...text(2, 'web')]),
    ...field(13, [...text(1, 'Pod'), ...text(3, 'p'), ...text(4, 'u-0'), ...text(5, 'v1'), 6 * 8, 1]),
    ...text(14, 'example.com/finalizer'),
    ...field(17, text(1, 'kubectl')),
  ];
  const bytes = Uint8Array.from([
    ...frame('ADDED', 'PartialObjectMetadata', field(1, metadata)),
    ...frame('DELETED', 'PartialObjectMetadata', field(1, [...text(1, 'b'), ...text(6, '8')])),
  ]);
  const expected = [
    {
      name: 'näme',
      namespace: 'default',
      uid: 'u-1',
      resourceVersion: '7',
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { app: 'web' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u-0', controller: true }],
      finalizers: ['example.com/finalizer'],
    },
    { name: 'b', resourceVersion: '8' },
  ];
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
      const events = decoded('application/vnd.kubernetes.protobuf;stream=watch', bytes, cuts);
      assert.deepEqual(
        events.map((event) => [event?.type, event?.object?.metadata]),
        [
          ['ADDED', expected[0]],
          ['DELETED', expected[1]],
        ],
      );
    }),
    { numRuns: 100 },
  );
});

test('an error in protobuf is the Status that it carries', () => {
  const status = [...text(3, 'too old'), ...text(4, 'Expired'), ...varint(6 * 8), ...varint(410)];
  const bytes = Uint8Array.from(frame('ERROR', 'Status', status));
  const [event] = decoded('application/vnd.kubernetes.protobuf', bytes, []);
  assert.deepEqual(event, { type: 'ERROR', object: { message: 'too old', reason: 'Expired', code: 410 } });
});

test('bytes that are no protobuf are no event', () => {
  for (const bytes of [
    [0, 0, 0, 3, 10, 200, 1],
    frame('ADDED', 'PartialObjectMetadata', []).with(14, 0),
    [0, 0, 0, 1, 7],
  ]) {
    const decode = (): unknown[] =>
      decoded('application/vnd.kubernetes.protobuf', Uint8Array.from(bytes), []);
    assert.throws(decode, { code: 'KUBE_RESPONSE' });
  }
});
