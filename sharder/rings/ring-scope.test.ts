import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, pods, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, OwnerReference, Resource } from '@controller-sharding/shared/kube/types.ts';
import { controllingMain, mainOf, type RingScope, scopeResources } from './ring-scope.ts';

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

test('an object follows the main object that its controller reference names, in whatever version', () => {
  const of = (resource: Resource, reference: Partial<OwnerReference>) =>
    controllingMain(scope, resource, child(reference))?.main.resource.resource;
  assert.equal(of(configMaps, {}), 'secrets');
  assert.equal(of(configMaps, { apiVersion: 'apps/v1', kind: 'Deployment' }), 'deployments');
  assert.equal(of(configMaps, { apiVersion: 'apps/v2beta1', kind: 'Deployment' }), 'deployments');
  assert.equal(of(configMaps, { apiVersion: 'other/v1', kind: 'Deployment' }), undefined, 'another group');
  assert.equal(of(configMaps, { kind: 'Pod' }), undefined, 'no main resource');
  assert.equal(of(pods, {}), undefined, 'not one that a Secret controls here');
  assert.equal(of(configMaps, { controller: false }), undefined, 'an owner that is not the controller');
  assert.equal(controllingMain(scope, configMaps, { metadata: { name: 'free' } }), undefined);
});
