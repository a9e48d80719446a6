import { type GroupResource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import type {
  Condition,
  ControllerRing,
  ControllerRingStatus,
} from '@controller-sharding/shared/sharding/controller-ring.ts';

export interface RingFacts {
  shards: number;
  availableShards: number;
  missing: readonly GroupResource[];
  /** Why the ring can't be served, if there is a reason that only the sharder knows. */
  failure?: string | undefined;
}

/** The ring's status; the time of the condition changes only with its status. */
export function ringStatus(ring: ControllerRing, facts: RingFacts, now: Date): ControllerRingStatus {
  const { generation } = ring.metadata;
  const before = ring.status?.conditions?.find(({ type }) => type === 'Ready');
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

function readiness(facts: RingFacts): Pick<Condition, 'status' | 'reason' | 'message'> {
  if (facts.failure !== undefined) return { status: 'False', reason: 'Failed', message: facts.failure };
  if (facts.missing.length > 0) {
    const names = facts.missing.map(resourceName).join(', ');
    return {
      status: 'False',
      reason: 'UnknownResource',
      message: `The API server doesn't serve ${names}; other resources are sharded.`,
    };
  }
  if (facts.availableShards === 0) {
    return {
      status: 'False',
      reason: 'NoShard',
      message: 'No shard is ready: objects without a shard wait for one.',
    };
  }
  return { status: 'True', reason: 'Sharded', message: 'All objects are given to the available shards.' };
}
