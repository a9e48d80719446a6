import { objectKey } from '@controller-sharding/shared/kube/types.ts';
import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import type { ShardView, StrangeLease } from './membership.ts';
import { claimants } from './ring-shards.ts';
import { isReleased } from './shard-state.ts';

/** Why a Lease is no shard, or not the one that its owner may think it is. */
export interface LeaseProblem {
  lease: Lease;
  /** The reason of the Event. */
  reason: 'InvalidShard' | 'DuplicateShard' | 'ForeignHolder' | 'InvalidAnnotation' | 'UnknownRing';
  note: string;
}

/** What is wrong with the Leases of shards. Pure; `ringExists` says whether there is a ring of that name. */
export function leaseProblems(
  views: readonly ShardView[],
  strange: readonly StrangeLease[],
  ringExists: (ring: string) => boolean,
): LeaseProblem[] {
  const problems: LeaseProblem[] = strange.map(({ lease, problem }) => ({
    lease,
    reason: 'InvalidShard',
    note: `This Lease is no shard: ${problem}.`,
  }));
  const byName = Map.groupBy(views, ({ ring, shard }) => `${ring}/${shard}`);
  for (const same of [...byName.values()].map(claimants)) {
    const [first, ...others] = same;
    if (first === undefined || others.length === 0) continue;
    const names = same.map(({ lease }) => objectKey(lease.metadata)).toSorted();
    const { ring, shard } = first;
    const note = `Shard "${shard}" of ring "${ring}" has several Leases (${names.join(', ')}): none of them gets objects. Names must be unique in a ring.`;
    for (const { lease } of same) problems.push({ lease, reason: 'DuplicateShard', note });
  }
  for (const { lease, ring, shard, settings } of views) {
    for (const note of settings.problems) problems.push({ lease, reason: 'InvalidAnnotation', note });
    if (!isReleased(lease) && holderOf(lease) !== shard) {
      const note = `This Lease is held by "${holderOf(lease)}": it is a shard's only while its holder is named as the Lease, "${shard}".`;
      problems.push({ lease, reason: 'ForeignHolder', note });
    }
    if (!ringExists(ring)) {
      const note = `There is no ControllerRing "${ring}": nothing is given to this shard.`;
      problems.push({ lease, reason: 'UnknownRing', note });
    }
  }
  return problems;
}
