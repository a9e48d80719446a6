import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyBindings } from './bindings.ts';

const ring = {
  metadata: { name: 'webhosting' },
  spec: {
    resources: [
      {
        group: 'webhosting.example.com',
        resource: 'websites',
        controlledResources: [
          { group: '', resource: 'configmaps' },
          { group: '', resource: 'services' },
        ],
      },
    ],
  },
};
const resourceRules = [
  {
    apiGroups: ['webhosting.example.com'],
    apiVersions: ['*'],
    operations: ['*'],
    resources: ['websites', 'websites/*'],
  },
  {
    apiGroups: [''],
    apiVersions: ['*'],
    operations: ['*'],
    resources: ['configmaps', 'configmaps/*', 'services', 'services/*'],
  },
];

test('the labels of a ring are protected on its own resources only', () => {
  const bindings = policyBindings({ ring, fence: undefined });
  assert.deepEqual(
    bindings.map(({ kind, metadata, spec }) => [kind, metadata.name, spec]),
    [
      [
        'MutatingAdmissionPolicyBinding',
        'sharding-labels-keep-webhosting',
        {
          policyName: 'sharding-labels-keep',
          paramRef: { name: 'webhosting', parameterNotFoundAction: 'Allow' },
          matchResources: { resourceRules },
        },
      ],
      [
        'ValidatingAdmissionPolicyBinding',
        'sharding-labels-webhosting',
        {
          policyName: 'sharding-labels',
          validationActions: ['Deny'],
          paramRef: { name: 'webhosting', parameterNotFoundAction: 'Allow' },
          matchResources: { resourceRules },
        },
      ],
    ],
  );
});

test('a fence looks at objects that have a shard: by the pod’s name, or by the Leases of the ring', () => {
  const fences = (['pod', 'lease'] as const).map((by) =>
    policyBindings({ ring, fence: by === 'pod' ? { by } : { by, namespace: 'operators' } }).at(-1),
  );
  const objectSelector = {
    matchExpressions: [{ key: 'shard.alpha.sharding.timebertt.dev/webhosting', operator: 'Exists' }],
  };
  assert.deepEqual(
    fences.map((fence) => fence?.spec),
    [
      {
        policyName: 'sharding-fence-pod',
        validationActions: ['Deny'],
        paramRef: { name: 'webhosting', parameterNotFoundAction: 'Allow' },
        matchResources: { objectSelector, resourceRules },
      },
      {
        policyName: 'sharding-fence-lease',
        validationActions: ['Deny'],
        paramRef: {
          namespace: 'operators',
          selector: { matchLabels: { 'alpha.sharding.timebertt.dev/controllerring': 'webhosting' } },
          parameterNotFoundAction: 'Allow',
        },
        matchResources: { objectSelector, resourceRules },
      },
    ],
  );
});
