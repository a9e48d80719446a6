import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { allowed, parseReview } from './admission-review.ts';

const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    name: 'web',
    namespace: 'default',
    operation: 'UPDATE',
    userInfo: { username: 'someone', groups: ['g'] },
    object: {
      metadata: {
        name: 'web',
        labels: { app: 'web' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'x', controller: true }],
      },
      spec: { replicas: 1 },
    },
    oldObject: { metadata: { name: 'web', labels: null } },
    dryRun: true,
  },
};

test('a review is reduced to what matters', () => {
  assert.deepEqual(parseReview(review), {
    uid: 'u',
    request: {
      operation: 'UPDATE',
      group: 'apps',
      resource: 'deployments',
      subresource: '',
      namespace: 'default',
      username: 'someone',
      object: {
        metadata: {
          name: 'web',
          labels: { app: 'web' },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'x', controller: true }],
        },
      },
      oldObject: { metadata: { name: 'web', ownerReferences: [] } },
    },
  });
});

test('a body without a uid to answer to is no review', () => {
  for (const body of [undefined, null, 'x', [], {}, { request: {} }, { request: { uid: 'x'.repeat(129) } }]) {
    assert.equal(parseReview(body), undefined);
  }
});

test('a request that makes no sense still has its uid', () => {
  assert.deepEqual(parseReview({ request: { uid: 'u', resource: 'secrets' } }), {
    uid: 'u',
    request: undefined,
  });
});

test('no body makes the parser throw', () => {
  const anyRequest = fc.record(
    { uid: fc.constant('u'), resource: fc.object(), object: fc.anything(), oldObject: fc.object() },
    { requiredKeys: ['uid'] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.record({ request: anyRequest })), (body) => {
      parseReview(body);
    }),
  );
});

test('a label of a prototype name is a label like any other', () => {
  const body: unknown = JSON.parse(
    '{"request":{"uid":"u","resource":{},"object":{"metadata":{"labels":{"__proto__":"x"}}}}}',
  );
  assert.deepEqual(Object.entries(parseReview(body)?.request?.object?.metadata.labels ?? {}), [
    ['__proto__', 'x'],
  ]);
});

test('an answer allows, with a patch only if there is one', () => {
  const envelope = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
  assert.deepEqual(JSON.parse(allowed('u"\\')), { ...envelope, response: { uid: 'u"\\', allowed: true } });
  const patch = [{ op: 'add' as const, path: '/a', value: 'ä' }];
  const { response } = JSON.parse(allowed('u', patch));
  assert.equal(response.patchType, 'JSONPatch');
  assert.deepEqual(JSON.parse(Buffer.from(response.patch, 'base64').toString()), patch);
});
