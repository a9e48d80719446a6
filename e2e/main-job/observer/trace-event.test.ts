import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTraceLine } from './trace-event.ts';

const line = (fields: object): string => JSON.stringify({ at: 12.5, shard: 'a', pid: 7, ...fields });
const common = { at: 12.5, shard: 'a', pid: 7 };

test('the events that the rules need are read', () => {
  const reconcile = { resource: 'secrets', object: 'test/u', uid: 'u' };
  assert.deepEqual(parseTraceLine(line({ event: 'reconcile-begin', ...reconcile })), {
    kind: 'reconcile-begin',
    ...common,
    object: 'test/u',
    uid: 'u',
  });
  const write = { verb: 'create', resource: 'configmaps', object: 'test/c', owner: 'u' };
  assert.deepEqual(parseTraceLine(line({ event: 'write-end', ...write, resourceVersion: '9' })), {
    kind: 'write-end',
    ...common,
    ...write,
    resourceVersion: '9',
  });
  assert.equal(
    parseTraceLine(line({ event: 'hand-over-end', object: 'o', uid: 'u', to: 'b', outcome: 'x' }))?.kind,
    'hand-over-end',
  );
});

test('a write that failed has no resourceVersion', () => {
  const write = { verb: 'create', resource: 'configmaps', object: 'test/c', owner: 'u', error: 'no' };
  const event = parseTraceLine(line({ event: 'write-end', ...write }));
  assert.equal(event?.kind === 'write-end' && event.resourceVersion, undefined);
});

test('other events are left out', () => {
  assert.equal(parseTraceLine(line({ event: 'lease', state: 'acquired' })), undefined);
});

test('a line that is no event of a trace is refused', () => {
  assert.throws(() => parseTraceLine('{}'), /trace line without at/);
  assert.throws(() => parseTraceLine(line({ event: 'reconcile-begin' })), /trace line without object/);
  assert.throws(() => parseTraceLine('no JSON'), SyntaxError);
});
