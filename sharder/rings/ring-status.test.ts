import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { type RingFacts, ringStatus } from './ring-status.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const fine: RingFacts = {
  shards: 3,
  availableShards: 2,
  missing: [],
  rights: [],
  duplicates: [],
  unassigned: 0,
  draining: 0,
  overdue: 0,
};
const ring = (status?: ControllerRing['status']): ControllerRing => ({
  metadata: { name: 'ring', generation: 4 },
  ...(status && { status }),
});

test('a ring with a usable shard is ready', () => {
  assert.deepEqual(ringStatus(ring(), fine, now), {
    observedGeneration: 4,
    shards: 3,
    availableShards: 2,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Sharded',
        message: 'All objects are given to the available shards.',
        lastTransitionTime: '2026-01-02T03:04:05Z',
        observedGeneration: 4,
      },
    ],
  });
});

const rows: Array<[string, Partial<RingFacts>, string, RegExp]> = [
  [
    'what is wrong with the ring itself comes before what it waits for',
    { shards: 0, availableShards: 0, failure: 'namespaceSelector is invalid' },
    'Failed',
    /^namespaceSelector is invalid\. There is no shard/,
  ],
  ['no usable shard', { availableShards: 0 }, 'NoShard', /wait/],
  [
    'a resource that is not served',
    { missing: [{ group: 'apps', resource: 'deployments' }] },
    'UnknownResource',
    /deployments\.apps/,
  ],
  [
    'a right without which nothing can be done',
    { rights: [{ group: 'apps', resource: 'deployments', verb: 'patch' }] },
    'MissingRights',
    /not patch deployments\.apps, .*\{apiGroups: \[apps\], resources: \[deployments\], verbs: \[list, patch\]\}/,
  ],
  [
    'a name that several Leases have',
    { duplicates: ['a'] },
    'DuplicateShard',
    /Several Leases have the name a: none of them/,
  ],
  ['a failure of the sharder', { failure: 'no webhook' }, 'Failed', /no webhook/],
];
for (const [name, facts, reason, message] of rows) {
  test(`${name} makes a ring not ready, and is named`, () => {
    const [condition] = ringStatus(ring(), { ...fine, ...facts }, now).conditions ?? [];
    assert.equal(condition?.status, 'False');
    assert.equal(condition.reason, reason);
    assert.match(condition.message, message);
  });
}

test('all problems are in the message, and what is on the move', () => {
  const facts = {
    ...fine,
    availableShards: 0,
    duplicates: ['a'],
    unassigned: 12_345,
    draining: 7,
    overdue: 2,
  };
  const [condition] = ringStatus(ring(), facts, now).conditions ?? [];
  assert.equal(condition?.reason, 'NoShard');
  assert.match(
    condition.message,
    /None of the 3 shards.* name a.* about 12000 without a shard, 7 on the move, 2 of them overdue\.$/,
  );
});

test('a ring that would only be better off with more rights is ready, and says which', () => {
  const rights = [{ group: '', resource: 'secrets', verb: 'watch' as const }];
  const [condition] = ringStatus(ring(), { ...fine, rights }, now).conditions ?? [];
  assert.equal(condition?.status, 'True');
  assert.match(condition.message, /work faster .*resources: \[secrets\], verbs: \[watch\]/);
});

test('the time of the condition changes only with its status, so that a status that says the same is the same', () => {
  const first = ringStatus(ring(), fine, now);
  const later = new Date('2026-01-02T04:00:00Z');
  assert.deepEqual(ringStatus(ring(first), fine, later), first);
  const [worse] = ringStatus(ring(first), { ...fine, availableShards: 0 }, later).conditions ?? [];
  assert.equal(worse?.lastTransitionTime, '2026-01-02T04:00:00Z');
});
