import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strategicPatched } from './strategic-merge-patch.ts';

const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more });

test('lists with keys are merged item by item, the patch’s items first', () => {
  const pod = {
    spec: { containers: [container('a', { env: [{ name: 'X', value: '1' }] }), container('b')] },
  };
  const patch = { spec: { containers: [container('new'), { name: 'a', env: [{ name: 'Y', value: '2' }] }] } };
  assert.deepEqual(strategicPatched(pod, patch), {
    spec: {
      containers: [
        container('new'),
        container('a', {
          env: [
            { name: 'Y', value: '2' },
            { name: 'X', value: '1' },
          ],
        }),
        container('b'),
      ],
    },
  });
});

test('directives delete and replace items, maps and the order', () => {
  const object = {
    metadata: {
      finalizers: ['a/1', 'a/2'],
      labels: { x: '1' },
      ownerReferences: [{ uid: '1' }, { uid: '2' }],
    },
    spec: { strategy: { type: 'RollingUpdate', rollingUpdate: {} } },
  };
  const patch = {
    metadata: {
      '$deleteFromPrimitiveList/finalizers': ['a/1'],
      '$setElementOrder/ownerReferences': [{ uid: '3' }, { uid: '2' }],
      finalizers: ['a/3'],
      labels: { $patch: 'replace', y: '2' },
      ownerReferences: [{ uid: '1', $patch: 'delete' }, { uid: '3' }],
    },
    spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
  };
  assert.deepEqual(strategicPatched(object, patch), {
    metadata: {
      finalizers: ['a/3', 'a/2'],
      labels: { y: '2' },
      ownerReferences: [{ uid: '3' }, { uid: '2' }],
    },
    spec: { strategy: { type: 'Recreate' } },
  });
  const replaced = { metadata: { ownerReferences: [{ $patch: 'replace' }, { uid: '9' }], labels: null } };
  assert.deepEqual(strategicPatched(object, replaced).metadata, {
    finalizers: ['a/1', 'a/2'],
    ownerReferences: [{ uid: '9' }],
  });
});

test('an item without its key, and an unknown directive, are refused', () => {
  assert.throws(
    () => strategicPatched({}, { spec: { containers: [{ image: 'x' }] } }),
    /does not contain declared merge key: name/,
  );
  assert.throws(() => strategicPatched({}, { data: { $patch: 'frob' } }), /unknown patch type: frob/);
});
