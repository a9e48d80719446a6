import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { createHasher } from '../placement/rendezvous.ts';
import type { Decision } from './admission.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { createDecide, type DecideOptions } from './decide.ts';
import { webhookSnapshot } from './webhook-snapshot.ts';

const hasher = await createHasher();
const shard = 'shard.alpha.sharding.timebertt.dev/ring';
const owner: PartialObject = { metadata: { name: 'owner', uid: 'u1', labels: { [shard]: 'a' } } };
const requestFor = (
  resource: string,
  ownerReferences: PartialObject['metadata']['ownerReferences'] = [],
) => ({
  operation: 'CREATE',
  group: '',
  resource,
  subresource: '',
  namespace: 'default',
  username: 'someone',
  object: { metadata: { name: 'thing', ownerReferences } },
  oldObject: undefined,
});
const controlled: AdmissionRequest = requestFor('configmaps', [
  { apiVersion: 'v1', kind: 'Secret', name: 'owner', uid: 'u1', controller: true },
]);
const signal = new AbortController().signal;

const snapshot = webhookSnapshot(
  {
    ring: 'ring',
    mains: [{ resource: secrets, controlled: [configMaps] }],
    former: [],
    missing: [],
    selects: () => true,
  },
  { usable: [{ name: 'a', weight: 1 }], ready: ['a'], pinnable: new Set(['a']), draining: [] },
);

/** Decides at once, or by a read with the signal given. */
const decideWith = (getMetadata: DecideOptions['client']['getMetadata']) => {
  const decide = createDecide({
    hasher,
    snapshots: { get: (ring) => (ring === 'ring' ? snapshot : undefined), ageMs: 0 },
    client: { getMetadata },
    sharderUsername: 'sharder',
  });
  return async (ring: string, request: AdmissionRequest): Promise<Decision> => {
    const decision = decide(ring, request);
    return typeof decision === 'function' ? decision(signal) : decision;
  };
};
const never: DecideOptions['client']['getMetadata'] = () => assert.fail('nothing to be read');

test('a main object is decided on at once, without asking the API server', async () => {
  const { outcome } = await decideWith(never)('ring', requestFor('secrets'));
  assert.equal(outcome, 'placed');
});

test('an unknown ring decides nothing', async () => {
  assert.deepEqual(await decideWith(never)('other', requestFor('secrets')), {
    outcome: 'unknown-ring',
  });
});

test('a controlled object costs one read of its controller, with the request’s signal', async () => {
  const reads: unknown[] = [];
  const decide = decideWith((...read) => {
    reads.push(read);
    return Promise.resolve(owner);
  });
  assert.equal((await decide('ring', controlled)).outcome, 'followed');
  assert.deepEqual(reads, [[secrets, { namespace: 'default', name: 'owner' }, { signal }]]);
});

test('a controller that is gone leaves the object to the watch', async () => {
  const decide = decideWith(() => Promise.reject(new ApiError(404, 'NotFound', 'not found')));
  assert.deepEqual(await decide('ring', controlled), { outcome: 'no-controller' });
});

test('any other failed read is an error of the decision', async () => {
  const decide = decideWith(() => Promise.reject(new ApiError(403, 'Forbidden', 'no')));
  await assert.rejects(decide('ring', controlled), { status: 403 });
});
