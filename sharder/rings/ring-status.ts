import { type GroupResource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import type {
  Condition,
  ControllerRing,
  ControllerRingStatus,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { isNeeded, type MissingRight, rulesFor } from './missing-rights.ts';

export interface RingFacts {
  shards: number;
  availableShards: number;
  /** Resources that the API server doesn't serve. */
  missing: readonly GroupResource[];
  /** Rights to the ring's resources that the sharder doesn't have. */
  rights: readonly MissingRight[];
  /** Names that several Leases of the ring have. */
  duplicates: readonly string[];
  /** Why the ring can't be served, if there is a reason that only the sharder knows. */
  failure?: string | undefined;
  /** Main objects without a shard. */
  unassigned: number;
  /** Objects whose shard was asked to let go of them. */
  draining: number;
  /** Of these, those that it should have let go of. */
  overdue: number;
}

/** The ring's status; the time of the condition changes only with its status. */
export function ringStatus(ring: ControllerRing, facts: RingFacts, now: Date): ControllerRingStatus {
  const { generation } = ring.metadata;
  const before = readyCondition(ring.status);
  const ready = readiness(facts);
  const condition: Condition = {
    type: 'Ready',
    ...ready,
    lastTransitionTime:
      before?.status === ready.status ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z'),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    shards: facts.shards,
    availableShards: facts.availableShards,
    conditions: [condition],
  };
}

export const readyCondition = (status: ControllerRingStatus | undefined): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Ready');

/** The first problem is the reason; the message has all of them. */
function readiness(facts: RingFacts): Pick<Condition, 'status' | 'reason' | 'message'> {
  const found = problems(facts);
  const [first] = found;
  const notes = [...found.map(({ text }) => text), ...remarks(facts)];
  if (first) return { status: 'False', reason: first.reason, message: notes.join(' ') };
  if (notes.length === 0) notes.push('All objects are given to the available shards.');
  return { status: 'True', reason: 'Sharded', message: notes.join(' ') };
}

function problems(facts: RingFacts): Array<{ reason: string; text: string }> {
  const found: Array<{ reason: string; text: string }> = [];
  if (facts.failure !== undefined) found.push({ reason: 'Failed', text: `${facts.failure}.` });
  const needed = facts.rights.filter(isNeeded);
  if (needed.length > 0) {
    const names = [...new Set(needed.map(resourceName))].toSorted().join(', ');
    const text = `The sharder may not list or not patch ${names}, and leaves them as they are; other resources are sharded. Add to the sharder's ClusterRole: ${rulesFor(needed)}.`;
    found.push({ reason: 'MissingRights', text });
  }
  if (facts.missing.length > 0) {
    const names = [...new Set(facts.missing.map(resourceName))].join(', ');
    const text = `The API server doesn't serve ${names}; other resources are sharded.`;
    found.push({ reason: 'UnknownResource', text });
  }
  if (facts.availableShards === 0) {
    const text =
      facts.shards === 0
        ? 'There is no shard: objects without a shard wait for one.'
        : `None of the ${facts.shards} shards can take objects: objects without a shard wait for one.`;
    found.push({ reason: 'NoShard', text });
  }
  if (facts.duplicates.length > 0) {
    const text = `Several Leases have the name ${facts.duplicates.join(', ')}: none of them gets objects. Names must be unique in a ring.`;
    found.push({ reason: 'DuplicateShard', text });
  }
  return found;
}

function remarks({ rights, unassigned, draining, overdue }: RingFacts): string[] {
  const wanted = rights.filter((right) => !isNeeded(right));
  const objects = [
    unassigned > 0 && `${roughly(unassigned)} without a shard`,
    draining > 0 && `${roughly(draining)} on the move`,
    overdue > 0 && `${roughly(overdue)} of them overdue`,
  ].filter((part) => part !== false);
  return [
    ...(objects.length > 0 ? [`Objects: ${objects.join(', ')}.`] : []),
    ...(wanted.length > 0
      ? [`It would work faster with these rules in the sharder's ClusterRole: ${rulesFor(wanted)}.`]
      : []),
  ];
}

/** Two digits of large numbers: which of them changes with every object says nothing. */
function roughly(count: number): string {
  if (count < 100) return String(count);
  const unit = 10 ** (String(count).length - 2);
  return `about ${Math.round(count / unit) * unit}`;
}
