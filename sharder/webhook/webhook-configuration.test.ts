import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import {
  type MutatingWebhookConfiguration,
  sameConfiguration,
  webhookConfiguration,
} from './webhook-configuration.ts';

const ring: ControllerRing = {
  metadata: { name: 'my-ring', uid: 'ring-uid' },
  spec: {
    resources: [
      { group: '', resource: 'secrets', controlledResources: [{ group: '', resource: 'configmaps' }] },
      { group: 'apps', resource: 'deployments' },
    ],
  },
};
const byUrl = () => webhookConfiguration(ring, { url: 'https://127.0.0.1:9443/' }, 'PEM');
const byService = () =>
  webhookConfiguration(ring, { service: { namespace: 'sharding-system', name: 'sharder' } }, 'PEM');

const rule = (group: string, resource: string) => ({
  apiGroups: [group],
  apiVersions: ['*'],
  resources: [resource],
  operations: ['CREATE', 'UPDATE'],
  scope: '*',
});

test('a ring’s webhook says all that the contract says', () => {
  assert.deepEqual(byUrl(), {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: 'controllerring-my-ring',
      labels: { 'alpha.sharding.timebertt.dev/controllerring': 'my-ring' },
      ownerReferences: [
        {
          apiVersion: 'sharding.timebertt.dev/v1alpha1',
          kind: 'ControllerRing',
          name: 'my-ring',
          uid: 'ring-uid',
          controller: true,
        },
      ],
    },
    webhooks: [
      {
        name: 'sharder.sharding.timebertt.dev',
        clientConfig: {
          url: 'https://127.0.0.1:9443/webhooks/sharder/controllerring/my-ring',
          caBundle: 'UEVN',
        },
        rules: [rule('', 'secrets'), rule('', 'configmaps'), rule('apps', 'deployments')],
        failurePolicy: 'Ignore',
        timeoutSeconds: 5,
        sideEffects: 'None',
        objectSelector: {
          matchExpressions: [{ key: 'shard.alpha.sharding.timebertt.dev/my-ring', operator: 'DoesNotExist' }],
        },
        namespaceSelector: {
          matchExpressions: [
            {
              key: 'kubernetes.io/metadata.name',
              operator: 'NotIn',
              values: ['kube-system', 'sharding-system'],
            },
          ],
        },
        admissionReviewVersions: ['v1'],
      },
    ],
  });
});

test('a webhook behind a Service is reached by its path', () => {
  assert.deepEqual(byService().webhooks?.[0]?.clientConfig, {
    service: {
      namespace: 'sharding-system',
      name: 'sharder',
      path: '/webhooks/sharder/controllerring/my-ring',
    },
    caBundle: 'UEVN',
  });
});

test('a ring’s own namespaceSelector is taken', () => {
  const own = { matchLabels: { team: 'a' } };
  const other = { ...ring, spec: { ...ring.spec, namespaceSelector: own } };
  assert.equal(webhookConfiguration(other, { url: 'https://x' }, '').webhooks?.[0]?.namespaceSelector, own);
});

/** As the API server gives it back. */
function served(wanted: MutatingWebhookConfiguration, port?: number): MutatingWebhookConfiguration {
  const copy = structuredClone(wanted);
  const { service } = copy.webhooks?.[0]?.clientConfig ?? {};
  if (service && port !== undefined) service.port = port;
  return {
    ...copy,
    metadata: {
      ...copy.metadata,
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      labels: { ...copy.metadata.labels, team: 'a' },
      annotations: { note: 'mine' },
    },
    webhooks: (copy.webhooks ?? []).map((webhook) => ({
      ...webhook,
      matchPolicy: 'Equivalent',
      reinvocationPolicy: 'Never',
    })),
  };
}

test('what the API server adds makes no difference', () => {
  assert.ok(sameConfiguration(served(byUrl()), byUrl()));
  assert.ok(sameConfiguration(served(byService(), 443), byService()));
});

test('a ring without resources has a webhook without rules, which the API server leaves out', () => {
  const wanted = webhookConfiguration({ metadata: ring.metadata }, { url: 'https://x' }, 'PEM');
  const existing = served(wanted);
  for (const webhook of existing.webhooks ?? []) delete webhook.rules;
  assert.ok(sameConfiguration(existing, wanted));
});

const webhookOf = (configuration: MutatingWebhookConfiguration) => {
  const [webhook] = configuration.webhooks ?? [];
  assert.ok(webhook);
  return webhook;
};
const changes: [what: string, change: (configuration: MutatingWebhookConfiguration) => void][] = [
  ['another certificate', (it) => (webhookOf(it).clientConfig.caBundle = 'b3RoZXI=')],
  ['another address', (it) => (webhookOf(it).clientConfig.url = 'https://127.0.0.1:1/')],
  ['a rule less', (it) => webhookOf(it).rules?.pop()],
  ['another failure policy', (it) => Object.assign(webhookOf(it), { failurePolicy: 'Fail' })],
  ['another timeout', (it) => (webhookOf(it).timeoutSeconds = 10)],
  ['another match policy', (it) => Object.assign(webhookOf(it), { matchPolicy: 'Exact' })],
  ['conditions by hand', (it) => Object.assign(webhookOf(it), { matchConditions: [{ name: 'x' }] })],
  ['another namespaceSelector', (it) => (webhookOf(it).namespaceSelector = {})],
  ['another owner', (it) => delete it.metadata.ownerReferences],
  ['no label', (it) => delete it.metadata.labels],
  ['no webhook', (it) => delete it.webhooks],
];
for (const [what, change] of changes) {
  test(`${what} has to be written again`, () => {
    const existing = served(byUrl());
    change(existing);
    assert.ok(!sameConfiguration(existing, byUrl()));
  });
}
