import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { handedOverAnnotation, sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import { isGivenUp, type ShardState, shardState } from './shard-state.ts';

const lease = (holder: string | undefined, durationSeconds?: number): Lease => ({
  metadata: { namespace: 'default', name: 'a', labels: { 'alpha.sharding.timebertt.dev/state': 'dead' } },
  spec: {
    ...(holder !== undefined && { holderIdentity: holder }),
    ...(durationSeconds !== undefined && { leaseDurationSeconds: durationSeconds }),
  },
});

const handedOver = (holder: string): Lease => ({
  metadata: { namespace: 'default', name: 'a', annotations: { [handedOverAnnotation]: 'true' } },
  spec: { holderIdentity: holder },
});

const rows: Array<[string, Lease, number, ShardState]> = [
  ['held by its shard, just changed', lease('a'), 0, 'ready'],
  ['held by its shard, changed within its duration', lease('a'), 14_999, 'ready'],
  ['held by its shard, not changed for its duration', lease('a'), 15_000, 'expired'],
  ['held by its shard, not changed for 1.2 durations', lease('a'), 18_000, 'uncertain'],
  ['held by its shard, silent for long', lease('a'), 600_000, 'uncertain'],
  ['of a longer duration, changed within it', lease('a', 60), 59_999, 'ready'],
  ['of a longer duration, not changed for it', lease('a', 60), 60_000, 'expired'],
  ['of a longer duration, not changed for 1.2 of it', lease('a', 60), 72_000, 'uncertain'],
  ['released', lease(''), 0, 'dead'],
  ['released without a holder at all', lease(undefined), 0, 'dead'],
  ['handed over', handedOver(''), 0, 'expired'],
  ['handed over a moment less than 30 s ago', handedOver(''), 29_999, 'expired'],
  ['handed over 30 s ago', handedOver(''), 30_000, 'uncertain'],
  ['handed over long ago', handedOver(''), 600_000, 'uncertain'],
  ['taken over after it was handed over', handedOver(sharderHolder), 0, 'dead'],
  ['held, with a mark that nobody took off', handedOver('a'), 0, 'ready'],
  ['released for a minute', lease(''), 60_000, 'orphaned'],
  ['taken over', lease(sharderHolder, 30), 59_999, 'dead'],
  ['taken over a minute ago', lease(sharderHolder, 30), 60_000, 'orphaned'],
  ['held by somebody else, just changed', lease('x'), 0, 'expired'],
  ['held by somebody else, silent', lease('x'), 18_000, 'uncertain'],
];

for (const [name, observed, unchangedMs, expected] of rows) {
  test(`a Lease that is ${name} is ${expected}`, () =>
    assert.equal(shardState(observed, unchangedMs), expected));
}

test('a shard without its Lease has lost its objects, any other keeps them', () => {
  const states: ShardState[] = ['ready', 'expired', 'uncertain', 'dead', 'orphaned'];
  assert.deepEqual(states.filter(isGivenUp), ['dead', 'orphaned']);
});
