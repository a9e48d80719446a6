import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchEventOf } from './watch-stream.ts';

const object = { metadata: { name: 'a', resourceVersion: '7' } };

test('events, bookmarks and the end of the first list are told apart', () => {
  assert.deepEqual(watchEventOf({ type: 'DELETED', object }), { type: 'DELETED', object });
  assert.deepEqual(watchEventOf({ type: 'BOOKMARK', object }), {
    type: 'BOOKMARK',
    resourceVersion: '7',
    initialEventsEnd: false,
  });
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const end = { metadata: { name: '', resourceVersion: '8', annotations } };
  assert.deepEqual(watchEventOf({ type: 'BOOKMARK', object: end }), {
    type: 'BOOKMARK',
    resourceVersion: '8',
    initialEventsEnd: true,
  });
});

test('an ERROR event throws the ApiError that it carries', () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' };
  assert.throws(() => watchEventOf({ type: 'ERROR', object: { ...object, ...status } }), {
    name: 'ApiError',
    status: 410,
    reason: 'Expired',
    message: 'too old resource version: 1 (9)',
  });
});

test('anything else is not a watch event', () => {
  for (const event of [
    'null',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"BOOKMARK","object":{}}',
    '{"type":"NEW"}',
  ]) {
    assert.throws(() => watchEventOf(JSON.parse(event)), { code: 'KUBE_RESPONSE' }, event);
  }
});
