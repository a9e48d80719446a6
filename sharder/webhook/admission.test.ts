import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import type {
  Labels,
  OwnerReference,
  PartialObject,
  Resource,
} from '@controller-sharding/shared/kube/types.ts';
import { createHasher, placeByHash } from '../placement/rendezvous.ts';
import type { RingScope } from '../rings/ring-scope.ts';
import {
  type AdmissionView,
  type ControllerToRead,
  type Decision,
  decideAdmission,
  decideControlled,
} from './admission.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { webhookSnapshot } from './webhook-snapshot.ts';

const hasher = await createHasher();
const shard = 'shard.alpha.sharding.timebertt.dev/ring';
const drain = 'drain.alpha.sharding.timebertt.dev/ring';
const shardPath = '/metadata/labels/shard.alpha.sharding.timebertt.dev~1ring';

const resourceOf = (group: string, resource: string, kind: string, namespaced = true): Resource => ({
  group,
  version: 'v1',
  resource,
  kind,
  namespaced,
});
const secrets = resourceOf('', 'secrets', 'Secret');
const configMaps = resourceOf('', 'configmaps', 'ConfigMap');
const deployments = resourceOf('apps', 'deployments', 'Deployment');
const nodes = resourceOf('', 'nodes', 'Node', false);
const leases = resourceOf('coordination.k8s.io', 'leases', 'Lease');

const scope: RingScope = {
  ring: 'ring',
  mains: [
    { resource: secrets, controlled: [configMaps] },
    { resource: deployments, controlled: [] },
    { resource: nodes, controlled: [leases] },
  ],
  former: [],
  missing: [],
  selects: (namespace) => (namespace === 'elsewhere' ? false : namespace === 'new' ? undefined : true),
};
const usable = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
const shards = {
  usable,
  ready: ['a', 'b', 'c', 'cordoned', 'draining'],
  pinnable: new Set(['a', 'b', 'c', 'cordoned']),
  draining: ['draining'],
};
const view: AdmissionView = {
  hasher,
  ageMs: 5_000,
  sharderUsername: 'system:serviceaccount:sharding-system:sharder',
};

const objectOf = (labels?: Labels, reference?: Partial<OwnerReference>): PartialObject => ({
  metadata: {
    name: 'thing',
    ...(labels && { labels }),
    ...(reference && {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Node', name: 'other', uid: 'u0' },
        { apiVersion: 'v1', kind: 'Secret', name: 'owner', uid: 'u1', controller: true, ...reference },
      ],
    }),
  },
});

const create = (
  of: Resource,
  object = objectOf(),
  more: Partial<AdmissionRequest> = {},
): AdmissionRequest => ({
  operation: 'CREATE',
  group: of.group,
  resource: of.resource,
  subresource: '',
  namespace: of.namespaced ? 'default' : '',
  username: 'someone',
  object,
  oldObject: undefined,
  ...more,
});
const update = (
  of: Resource,
  old: PartialObject,
  object = objectOf(),
  username = 'someone',
): AdmissionRequest => create(of, object, { operation: 'UPDATE', oldObject: old, username });

interface Known {
  shards?: typeof shards;
  ageMs?: number;
}

const decide = (
  request: AdmissionRequest,
  { shards: known = shards, ageMs = view.ageMs }: Known = {},
): Decision | ControllerToRead => decideAdmission(request, webhookSnapshot(scope, known), { ...view, ageMs });

const patchOf = (request: AdmissionRequest) => {
  const decision = decide(request);
  return 'patch' in decision ? decision.patch : undefined;
};

const added = (value: string | undefined): JsonPatchOperation[] => [
  { op: 'add', path: '/metadata/labels', value: { [shard]: value } },
];
const byHash = (key: string) => placeByHash(hasher, key, usable);

test('a new main object is placed by hash of group, kind, namespace and name', () => {
  assert.deepEqual(decide(create(secrets)), {
    outcome: 'placed',
    patch: added(byHash('/Secret/default/thing')),
  });
  assert.deepEqual(decide(create(deployments)), {
    outcome: 'placed',
    patch: added(byHash('apps/Deployment/default/thing')),
  });
});

test('a cluster-scoped main object has no namespace in its key', () => {
  const request = create(nodes, objectOf(), { namespace: 'thing' });
  assert.deepEqual(decide(request), { outcome: 'placed', patch: added(byHash('/Node//thing')) });
});

test('other labels stay as they are', () => {
  const patch = patchOf(create(secrets, objectOf({ app: 'web' })));
  assert.deepEqual(patch, [{ op: 'add', path: shardPath, value: byHash('/Secret/default/thing') }]);
});

test('a controlled object follows its controller, in its namespace or cluster-scoped', () => {
  assert.deepEqual(decide(create(configMaps, objectOf(undefined, {}))), {
    outcome: 'read-controller',
    resource: secrets,
    ref: { namespace: 'default', name: 'owner' },
    uid: 'u1',
  });
  assert.deepEqual(decide(create(leases, objectOf(undefined, { kind: 'Node', name: 'n' }))), {
    outcome: 'read-controller',
    resource: nodes,
    ref: { name: 'n' },
    uid: 'u1',
  });
});

const toRead = { outcome: 'read-controller', resource: secrets, ref: { name: 'owner' }, uid: 'u1' } as const;
const controllers: [what: string, controller: PartialObject | undefined, expected: Decision][] = [
  [
    'its label is copied',
    { metadata: { name: 'owner', uid: 'u1', labels: { [shard]: 'gone' } } },
    { outcome: 'followed', patch: added('gone') },
  ],
  ['there is none any more', undefined, { outcome: 'no-controller' }],
  [
    'another object has its name',
    { metadata: { name: 'owner', uid: 'u2', labels: { [shard]: 'a' } } },
    { outcome: 'no-controller' },
  ],
  ['it has no label yet', { metadata: { name: 'owner', uid: 'u1' } }, { outcome: 'no-controller' }],
];
for (const [what, controller, expected] of controllers) {
  test(`when the controller was read and ${what}: ${expected.outcome}`, () => {
    const request = create(configMaps, objectOf(undefined, {}));
    assert.deepEqual(decideControlled(request, toRead, controller, 'ring'), expected);
  });
}

const simple = { [shard]: 'a', [drain]: 'b' };
const sharder = view.sharderUsername;
const rows: [what: string, outcome: string, request: AdmissionRequest, more?: Known][] = [
  ['a new object that has the label', 'labelled', create(secrets, objectOf({ [shard]: 'x' }))],
  ['a new object whose label is empty', 'labelled', create(secrets, objectOf({ [shard]: '' }))],
  ['generateName', 'no-name', create(secrets, { metadata: { name: '' } })],
  ['another resource', 'not-in-ring', create(resourceOf('', 'pods', 'Pod'))],
  ['the resource of another group', 'not-in-ring', create(resourceOf('x', 'secrets', 'Secret'))],
  ['a subresource', 'not-in-ring', create(deployments, objectOf(), { subresource: 'scale' })],
  ['another namespace', 'not-in-ring', create(secrets, objectOf(), { namespace: 'elsewhere' })],
  ['a namespace not heard of yet', 'placed', create(secrets, objectOf(), { namespace: 'new' })],
  ['a controlled resource without controller', 'not-in-ring', create(configMaps)],
  [
    'a controller of a resource that controls others',
    'not-in-ring',
    create(configMaps, objectOf({}, { apiVersion: 'apps/v1', kind: 'Deployment' })),
  ],
  [
    'a controller of the same kind in another group',
    'not-in-ring',
    create(configMaps, objectOf({}, { apiVersion: 'x/v1' })),
  ],
  [
    'a main object with a controller outside the ring',
    'placed',
    create(secrets, objectOf({}, { kind: 'Pod' })),
  ],
  ['no usable shard', 'no-shard', create(secrets), { shards: { ...shards, usable: [] } }],
  ['a snapshot that is too old', 'stale', create(secrets), { ageMs: 5_001 }],
  ['a delete', 'unreadable', create(secrets, objectOf(), { operation: 'DELETE' })],
  ['a request without object', 'unreadable', create(secrets, objectOf(), { object: undefined })],
  ['an update without old object', 'unreadable', create(secrets, objectOf(), { operation: 'UPDATE' })],

  ['an update with the label', 'labelled', update(secrets, objectOf(), objectOf({ [shard]: 'b' }))],
  ['a PUT without labels', 'restored', update(secrets, objectOf({ [shard]: 'a' }))],
  ['a PUT without labels of a controlled object', 'restored', update(configMaps, objectOf({ [shard]: 'a' }))],
  [
    'the sharder takes the label away',
    'by-sharder',
    update(secrets, objectOf({ [shard]: 'a' }), objectOf(), sharder),
  ],
  ['a PUT, the snapshot too old', 'stale', update(secrets, objectOf({ [shard]: 'a' })), { ageMs: 6_000 }],

  ['a foreign shard lets go', 'handed-over', update(deployments, objectOf(simple))],
  ['… to a cordoned shard', 'handed-over', update(deployments, objectOf({ ...simple, [drain]: 'cordoned' }))],
  [
    '… to a shard that is not ready',
    'left-to-sharder',
    update(deployments, objectOf({ ...simple, [drain]: 'x' })),
  ],
  ['… to nobody', 'left-to-sharder', update(deployments, objectOf({ ...simple, [drain]: '' }))],
  ['… of an owner of controlled objects', 'left-to-sharder', update(secrets, objectOf(simple))],
  [
    '… of a controlled object',
    'left-to-sharder',
    update(configMaps, objectOf(simple), objectOf(undefined, {})),
  ],
  [
    'only the shard label of a drained object goes',
    'left-to-sharder',
    update(deployments, objectOf(simple), objectOf({ [drain]: 'b' })),
  ],
  ['a drain without a shard goes', 'left-to-sharder', update(deployments, objectOf({ [drain]: 'b' }))],

  ['an update of what never had a label', 'placed', update(deployments, objectOf({ app: 'web' }))],
  ['… of an owner of controlled objects', 'left-to-sharder', update(secrets, objectOf())],
  ['… of a controlled object', 'read-controller', update(configMaps, objectOf(), objectOf(undefined, {}))],
  ['… of a controlled object without controller', 'not-in-ring', update(configMaps, objectOf())],
  ['… by the sharder', 'by-sharder', update(deployments, objectOf(), objectOf(), sharder)],
];
for (const [what, outcome, request, more] of rows) {
  test(`${request.operation} ${what}: ${outcome}`, () => {
    const decision = decide(request, more);
    assert.equal(decision.outcome, outcome);
    const patched = ['placed', 'restored', 'handed-over'].includes(outcome);
    assert.equal('patch' in decision, patched);
  });
}

test('the old label is put back, and the drain names the next shard', () => {
  assert.deepEqual(patchOf(update(secrets, objectOf({ [shard]: 'a' }))), added('a'));
  assert.deepEqual(patchOf(update(deployments, objectOf(simple))), added('b'));
});

test('an object whose labels are empty gets its label added to them', () => {
  const patch = patchOf(update(secrets, objectOf({ [shard]: 'a' }), objectOf({})));
  assert.deepEqual(patch, [{ op: 'add', path: shardPath, value: 'a' }]);
});
