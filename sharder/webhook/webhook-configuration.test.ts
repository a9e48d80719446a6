import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { matchConditions } from './match-conditions.ts';
import {
  correctedConfiguration,
  type MutatingWebhookConfiguration,
  type WebhookSettings,
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
const deployments = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};
const known = {
  ring,
  scope: {
    ring: 'my-ring',
    mains: [
      { resource: secrets, controlled: [configMaps] },
      { resource: deployments, controlled: [] },
    ],
    former: [],
    missing: [],
    selects: () => true,
  },
};
const settings: WebhookSettings = {
  endpoint: { url: 'https://127.0.0.1:9443/' },
  annotations: {},
  sharderUsername: 'sharder',
  caBundle: 'UEVN',
};
const byUrl = (more: Partial<WebhookSettings> = {}) => webhookConfiguration(known, { ...settings, ...more });
const byService = () => byUrl({ endpoint: { service: { namespace: 'sharding-system', name: 'sharder' } } });

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
        matchConditions: matchConditions(known, 'sharder'),
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
      port: 443,
      path: '/webhooks/sharder/controllerring/my-ring',
    },
    caBundle: 'UEVN',
  });
});

test('a ring’s own namespaceSelector is taken, unless one for all rings is configured', () => {
  const own = { matchLabels: { team: 'a' } };
  const other = { ...known, ring: { ...ring, spec: { ...ring.spec, namespaceSelector: own } } };
  const selectorWith = (namespaceSelector?: object) =>
    webhookConfiguration(other, { ...settings, namespaceSelector }).webhooks?.[0]?.namespaceSelector;
  assert.equal(selectorWith(), own);
  assert.deepEqual(selectorWith({ matchLabels: { all: 'b' } }), { matchLabels: { all: 'b' } });
});

/** As the API server gives it back. */
function served(wanted: MutatingWebhookConfiguration): MutatingWebhookConfiguration {
  const copy = structuredClone(wanted);
  return {
    ...copy,
    metadata: {
      ...copy.metadata,
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      labels: { ...copy.metadata.labels, team: 'a' },
      annotations: { ...copy.metadata.annotations, note: 'mine' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Namespace', name: 'other', uid: 'n' },
        ...(copy.metadata.ownerReferences ?? []),
      ],
    },
    webhooks: (copy.webhooks ?? []).map((webhook) => ({
      ...webhook,
      matchPolicy: 'Equivalent',
      reinvocationPolicy: 'Never',
    })),
  };
}

test('what the API server and others add makes no difference', () => {
  assert.equal(correctedConfiguration(served(byUrl()), byUrl()), undefined);
  assert.equal(correctedConfiguration(served(byService()), byService()), undefined);
});

test('a ring without resources has a webhook without rules, which the API server leaves out', () => {
  const scope = { ...known.scope, mains: [] };
  const wanted = webhookConfiguration({ ring: { metadata: ring.metadata }, scope }, settings);
  const existing = served(wanted);
  for (const webhook of existing.webhooks ?? []) delete webhook.rules;
  assert.equal(correctedConfiguration(existing, wanted), undefined);
});

const webhookOf = (configuration: MutatingWebhookConfiguration | undefined) => {
  const [webhook] = configuration?.webhooks ?? [];
  assert.ok(webhook);
  return webhook;
};

test('authorities that somebody else enters stay, also when something else is written', () => {
  const wanted = byUrl({ caBundle: undefined });
  const existing = served(wanted);
  webhookOf(existing).clientConfig.caBundle = 'dGhlaXJz';
  assert.equal(correctedConfiguration(existing, wanted), undefined);
  webhookOf(existing).timeoutSeconds = 1;
  const corrected = webhookOf(correctedConfiguration(existing, wanted));
  assert.deepEqual([corrected.timeoutSeconds, corrected.clientConfig.caBundle], [5, 'dGhlaXJz']);
});

test('labels and annotations of others stay when something is written, and the version is a precondition', () => {
  const existing = served(byUrl());
  webhookOf(existing).timeoutSeconds = 1;
  const metadata = correctedConfiguration(existing, byUrl({ annotations: { ours: 'x' } }))?.metadata;
  assert.deepEqual(metadata?.labels, existing.metadata.labels);
  assert.deepEqual(metadata?.annotations, { note: 'mine', ours: 'x' });
  assert.equal(metadata?.resourceVersion, '1');
});

const changes: [what: string, change: (configuration: MutatingWebhookConfiguration) => void][] = [
  ['another certificate', (it) => (webhookOf(it).clientConfig.caBundle = 'b3RoZXI=')],
  ['no certificate', (it) => delete webhookOf(it).clientConfig.caBundle],
  ['another address', (it) => (webhookOf(it).clientConfig.url = 'https://127.0.0.1:1/')],
  ['a rule less', (it) => webhookOf(it).rules?.pop()],
  ['another failure policy', (it) => Object.assign(webhookOf(it), { failurePolicy: 'Fail' })],
  ['another timeout', (it) => (webhookOf(it).timeoutSeconds = 10)],
  ['another match policy', (it) => Object.assign(webhookOf(it), { matchPolicy: 'Exact' })],
  ['no conditions', (it) => (webhookOf(it).matchConditions = [])],
  ['another namespaceSelector', (it) => (webhookOf(it).namespaceSelector = {})],
  ['another owner', (it) => delete it.metadata.ownerReferences],
  ['no label', (it) => delete it.metadata.labels],
  ['no annotation', (it) => delete it.metadata.annotations],
  ['no webhook', (it) => delete it.webhooks],
  ['a second webhook', (it) => it.webhooks?.push(webhookOf(it))],
];
for (const [what, change] of changes) {
  test(`${what} has to be written again`, () => {
    const wanted = byUrl({ annotations: { ours: 'x' } });
    const existing = served(wanted);
    change(existing);
    const corrected = correctedConfiguration(existing, wanted);
    assert.ok(corrected);
    assert.equal(correctedConfiguration(served(corrected), wanted), undefined);
  });
}
