import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isConflict, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import type { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { forcedAnnotation, sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type { Membership, ShardView } from './membership.ts';
import { isSameHolding } from './shard-holding.ts';
import { takenOver } from './taken-over.ts';

/**
 * Takes the Lease of a shard that still renews it. The mark on it keeps every sharder, and whoever wants the name, from
 * acting before a full duration of the shard is over: it may work until it notices. By compare-and-swap: false when it
 * is not held any more by the process that was seen, or the shard wrote in between.
 */
export async function takeOverByForce(
  deps: {
    client: Pick<ApiClient, 'get' | 'update'>;
    clock: Clock;
    membership: Membership;
    fence: WriteFence;
  },
  view: ShardView,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, clock, membership, fence } = deps;
  const options = { signal, timeoutMs: sharderRequestMs };
  try {
    // Read now: what the watch brought may be a renewal older.
    const lease = await client.get<Lease>(leases, view.lease.metadata, options);
    if (!isSameHolding(lease, view.lease)) return false;
    const taken = takenOver(lease, clock.now());
    taken.metadata = {
      ...taken.metadata,
      annotations: { ...taken.metadata.annotations, [forcedAnnotation]: 'true' },
    };
    const sentAt = clock.monotonic();
    const timeoutMs = Math.min(fence.permit(), sharderRequestMs);
    membership.observe(await client.update(leases, taken, { signal, timeoutMs }), sentAt);
    return true;
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
}
