import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, namespaces, pods, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, OwnerReference, Resource } from '@controller-sharding/shared/kube/types.ts';
import {
  controlledResources,
  controllerInRing,
  isPlaced,
  mainOf,
  type RingScope,
  scopeResources,
} from './ring-scope.ts';

const deployments: Resource = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};
const scope: RingScope = {
  ring: 'ring',
  mains: [
    { resource: secrets, controlled: [configMaps] },
    { resource: deployments, controlled: [configMaps, pods] },
  ],
  former: [],
  missing: [],
  selects: () => true,
};
const child = (reference: Partial<OwnerReference>): KubeObject => ({
  metadata: {
    name: 'c',
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'u', controller: true, ...reference },
    ],
  },
});

test('every resource of a ring is named once', () => {
  assert.deepEqual(
    scopeResources(scope).map(({ resource }) => resource),
    ['secrets', 'configmaps', 'deployments', 'pods'],
  );
});

test('main resources are known by group and name', () => {
  assert.equal(mainOf(scope, secrets)?.resource, secrets);
  assert.equal(mainOf(scope, { ...deployments, group: 'extensions' }), undefined);
  assert.equal(mainOf(scope, configMaps), undefined);
});

test('an object follows the controller that its owner reference names, in whatever version', () => {
  const of = (resource: Resource, reference: Partial<OwnerReference>) =>
    controllerInRing(scope, resource, child(reference))?.resource.resource;
  assert.equal(of(configMaps, {}), 'secrets');
  assert.equal(of(configMaps, { apiVersion: 'apps/v1', kind: 'Deployment' }), 'deployments');
  assert.equal(of(configMaps, { apiVersion: 'apps/v2beta1', kind: 'Deployment' }), 'deployments');
  assert.equal(of(configMaps, { apiVersion: 'other/v1', kind: 'Deployment' }), undefined, 'another group');
  assert.equal(of(configMaps, { kind: 'Pod' }), 'pods', 'one that is controlled itself');
  assert.equal(of(configMaps, { kind: 'ConfigMap' }), 'configmaps', 'or of the very same resource');
  assert.equal(of(configMaps, { kind: 'Service' }), undefined, 'no resource of the ring');
  assert.equal(of(pods, {}), undefined, 'not one that a Secret controls here');
  assert.equal(of(configMaps, { controller: false }), undefined, 'an owner that is not the controller');
  assert.equal(controllerInRing(scope, configMaps, { metadata: { name: 'free' } }), undefined);
});

test('what a resource controls at any depth goes through resources that are both main and controlled', () => {
  const both: RingScope = {
    ...scope,
    mains: [
      { resource: deployments, controlled: [secrets] },
      { resource: secrets, controlled: [configMaps] },
      { resource: configMaps, controlled: [pods, configMaps] },
    ],
  };
  const names = (resource: Resource): string[] =>
    controlledResources(both, resource).map((entry) => entry.resource);
  assert.deepEqual(names(deployments), ['secrets', 'configmaps', 'pods']);
  assert.deepEqual(
    names(secrets),
    ['secrets', 'configmaps', 'pods'],
    'a Secret may control another one here',
  );
  assert.deepEqual(names(pods), ['pods', 'configmaps']);
  assert.deepEqual(controlledResources(scope, namespaces), []);
});

test('an object is placed if it is selected, of a main resource, and controlled by nothing of the ring', () => {
  const both: RingScope = {
    ...scope,
    mains: [
      { resource: secrets, controlled: [configMaps] },
      { resource: configMaps, controlled: [] },
    ],
    selects: (namespace) => namespace !== 'foreign',
  };
  const free: KubeObject = { metadata: { name: 'free' } };
  assert.equal(isPlaced(both, configMaps, free), true);
  assert.equal(isPlaced(both, configMaps, child({})), false);
  assert.equal(isPlaced(both, configMaps, child({ kind: 'Website' })), true, 'another controller');
  assert.equal(isPlaced(both, pods, free), false);
  assert.equal(isPlaced(both, secrets, { metadata: { name: 'free', namespace: 'foreign' } }), false);
});

test('a namespaced object controls no cluster-scoped one', () => {
  const wrong: RingScope = { ...scope, mains: [{ resource: secrets, controlled: [namespaces] }] };
  assert.equal(controllerInRing(wrong, namespaces, child({})), undefined);
});
