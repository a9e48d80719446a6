import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers, type LeavesOut } from './covers.ts';

const container = (more: object) => ({ spec: { containers: [{ name: 'web', image: 'nginx', ...more }] } });

const leavesOut: LeavesOut = (path) => path.at(-1) === 'dropped';

/** What is desired, what there is, and whether an apply can be spared. */
const cases: Array<[string, unknown, unknown, boolean]> = [
  ['the same', { data: { a: '1' } }, { data: { a: '1' } }, true],
  ['another value', { data: { a: '1' } }, { data: { a: '2' } }, false],
  ['a value that is missing', { data: { a: '1', b: '2' } }, { data: { a: '1' } }, false],
  ["others' fields", { data: { a: '1' } }, { data: { a: '1', theirs: 'x' }, status: { ready: true } }, true],
  ['another type', { data: { a: '1' } }, { data: { a: 1 } }, false],
  ['a list in place of a map', { data: {} }, { data: ['x'] }, false],
  ['an undefined field', { data: { a: undefined } }, { data: {} }, true],
  [
    'a value that the API server leaves out',
    { dropped: {}, list: [{ dropped: false }], text: { dropped: '' }, none: null },
    { list: [{}], text: {} },
    true,
  ],
  ['an empty map that it keeps, and somebody removed', { emptyDir: {} }, { hostPath: {} }, false],
  ['a false that it keeps, and somebody removed', container({ mount: false }), container({}), false],
  ['the same in a list that is one value', { rules: [{ all: {} }] }, { rules: [{}] }, false],
  ['an empty value of a map', { data: { a: '', b: '1' } }, { data: { b: '1' } }, false],
  ['an empty label', { metadata: { labels: { a: '' } } }, { metadata: { labels: {} } }, false],
  ['one that it does not leave out', { spec: { replicas: 0 } }, { spec: { replicas: 1 } }, false],
  ['a map that is gone', { data: { a: '1' } }, {}, false],
  [
    "a container with the API server's defaults",
    container({}),
    container({ imagePullPolicy: 'Always' }),
    true,
  ],
  [
    'a container that somebody added',
    container({}),
    { spec: { containers: [{ name: 'sidecar' }, { name: 'web', image: 'nginx' }] } },
    true,
  ],
  [
    'a container that somebody removed',
    container({}),
    { spec: { containers: [{ name: 'sidecar' }] } },
    false,
  ],
  ['a container with another image', container({}), container({ image: 'apache' }), false],
  [
    'ports with the default protocol',
    { ports: [{ port: 80 }] },
    { ports: [{ port: 80, protocol: 'TCP', nodePort: 30_001 }] },
    true,
  ],
  [
    'a port of another protocol',
    { ports: [{ port: 80, protocol: 'UDP' }] },
    { ports: [{ port: 80, protocol: 'TCP' }] },
    false,
  ],
  [
    'a quantity in another unit',
    container({ resources: { limits: { cpu: '0.5', memory: '1024Mi' } } }),
    container({ resources: { limits: { cpu: '500m', memory: '1Gi' } } }),
    true,
  ],
  [
    'another quantity',
    container({ resources: { limits: { cpu: '0.5' } } }),
    container({ resources: { limits: { cpu: '600m' } } }),
    false,
  ],
  ['a text that only looks like a quantity', { data: { a: '1000m' } }, { data: { a: '1' } }, false],
  ['a list that is one value', { rules: [{ host: 'a' }] }, { rules: [{ host: 'a' }] }, true],
  [
    'a field that somebody added in such a list',
    { rules: [{ host: 'a' }] },
    { rules: [{ host: 'a', http: {} }] },
    false,
  ],
  ['an element that somebody added to it', { args: ['a'] }, { args: ['a', 'b'] }, false],
  ['its elements in another order', { args: ['a', 'b'] }, { args: ['b', 'a'] }, false],
  ["others' finalizers", { finalizers: ['mine'] }, { finalizers: ['theirs', 'mine'] }, true],
  [
    "others' owners",
    { ownerReferences: [{ uid: '1', name: 'a' }] },
    {
      ownerReferences: [
        { uid: '2', name: 'b' },
        { uid: '1', name: 'a', controller: true },
      ],
    },
    true,
  ],
];
for (const [what, desired, live, expected] of cases) {
  test(`${what}: ${expected ? 'nothing to do' : 'to be applied'}`, () => {
    assert.equal(covers(desired, live, leavesOut), expected);
  });
}
