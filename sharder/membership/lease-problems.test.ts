import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { weightAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import { leaseProblems } from './lease-problems.ts';
import type { ShardView } from './membership.ts';
import { shardSettings } from './shard-settings.ts';

function view(
  shard: string,
  change: { namespace?: string; holder?: string; weight?: string; state?: ShardView['state'] } = {},
): ShardView {
  const { namespace = 'default', holder = shard, weight, state = 'ready' } = change;
  const annotations = weight === undefined ? {} : { [weightAnnotation]: weight };
  const lease: Lease = {
    metadata: { name: shard, namespace, uid: `${namespace}-${shard}`, annotations },
    spec: { holderIdentity: holder },
  };
  return { ring: 'ring', shard, state, lease, settings: shardSettings(lease) };
}

const told = (views: ShardView[], ringExists = true): string[] =>
  leaseProblems(views, [], () => ringExists).map(({ lease, reason, note }) => {
    return `${lease.metadata.namespace}/${lease.metadata.name} ${reason} ${note}`;
  });

test('Leases of shards in good order are no problem, nor are released and taken over ones', () => {
  assert.deepEqual(
    told([view('a'), view('b', { holder: '' }), view('c', { holder: 'shardlease-controller' })]),
    [],
  );
});

test('of Leases of one name in several namespaces, each is told of all', () => {
  const notes = told([view('a'), view('a', { namespace: 'other' }), view('b')]);
  assert.equal(notes.length, 2);
  assert.match(
    notes[0] ?? '',
    /^default\/a DuplicateShard .*\(default\/a, other\/a\): none of them gets objects/,
  );
  assert.match(notes[1] ?? '', /^other\/a DuplicateShard/);
});

test('a Lease that was given up in another namespace is no problem to who has the name now', () => {
  const left = view('a', { namespace: 'former', holder: '', state: 'orphaned' });
  assert.deepEqual(told([left, view('a')]), []);
});

test('a Lease that somebody else holds, a bad annotation and an unknown ring are told of', () => {
  assert.match(told([view('a', { holder: 'b' })])[0] ?? '', /ForeignHolder .* held by "b"/);
  assert.match(told([view('a', { weight: 'much' })])[0] ?? '', /InvalidAnnotation .* is "much"/);
  assert.match(told([view('a')], false)[0] ?? '', /UnknownRing There is no ControllerRing "ring"/);
});
