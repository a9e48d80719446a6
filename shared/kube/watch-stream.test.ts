import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { linesOf, parseWatchEvent } from './watch-stream.ts';

async function* chunksOf(bytes: Uint8Array, cuts: number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const cut of cuts.toSorted((a, b) => a - b)) {
    const end = Math.min(cut, bytes.length);
    if (end < start) continue;
    yield bytes.subarray(start, end);
    start = end;
  }
  yield bytes.subarray(start);
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

test('lines are the same wherever the chunks end, within characters, too', async () => {
  const line = fc.json().map((json) => json.replaceAll('\n', ' '));
  const unicode = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text.toWellFormed()));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(line, unicode)),
      fc.array(fc.nat({ max: 300 })),
      async (lines, cuts) => {
        const bytes = new TextEncoder().encode(lines.map((each) => `${each}\n`).join(''));
        assert.deepEqual(await collect(linesOf(chunksOf(bytes, cuts))), lines);
      },
    ),
    { numRuns: 30 },
  );
});

test('a stream that ends within a line is not taken for complete', async () => {
  await assert.rejects(collect(linesOf(chunksOf(new TextEncoder().encode('{}\n{"a'), []))), {
    code: 'KUBE_RESPONSE',
    message: 'the watch ended in the middle of an event',
  });
});

test('events, bookmarks and the end of the first list are told apart', () => {
  const object = { metadata: { name: 'a', resourceVersion: '7' } };
  assert.deepEqual(parseWatchEvent(JSON.stringify({ type: 'DELETED', object })), { type: 'DELETED', object });
  assert.deepEqual(parseWatchEvent(JSON.stringify({ type: 'BOOKMARK', object })), {
    type: 'BOOKMARK',
    resourceVersion: '7',
    initialEventsEnd: false,
  });
  const end = { metadata: { resourceVersion: '8', annotations: { 'k8s.io/initial-events-end': 'true' } } };
  assert.deepEqual(parseWatchEvent(JSON.stringify({ type: 'BOOKMARK', object: end })), {
    type: 'BOOKMARK',
    resourceVersion: '8',
    initialEventsEnd: true,
  });
});

test('an ERROR event throws the ApiError that it carries', () => {
  const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' };
  assert.throws(() => parseWatchEvent(JSON.stringify({ type: 'ERROR', object })), {
    name: 'ApiError',
    status: 410,
    reason: 'Expired',
    message: 'too old resource version: 1 (9)',
  });
});

test('anything else is not a watch event', () => {
  for (const line of [
    '',
    'null',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"BOOKMARK","object":{}}',
    '{"type":"NEW"}',
  ]) {
    assert.throws(() => parseWatchEvent(line), { code: 'KUBE_RESPONSE' }, line);
  }
});
