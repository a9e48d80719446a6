import { durationMsOf, holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import { holdOffMs, sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import { mayStillWork } from '@controller-sharding/shared/sharding/forced-takeover.ts';
import { isHandedOver } from '@controller-sharding/shared/sharding/hold-off.ts';

/**
 * ready: held by its shard and changed within its duration. expired: not changed for that long; keeps its objects.
 * uncertain: from 1.2 durations on; the sharder tries to take the Lease over. dead: released, or taken over; its
 * objects are moved. A slot that was handed over is expired and then uncertain: the sharder takes its Lease over first. orphaned: dead for a minute; the Lease may be deleted.
 */
export type ShardState = 'ready' | 'expired' | 'uncertain' | 'dead' | 'orphaned';

export const orphanedAfterMs = 60_000;
const uncertainAfterDurations = 1.2;

export const isReleased = (lease: Lease): boolean =>
  holderOf(lease) === '' || holderOf(lease) === sharderHolder;

/**
 * @param unchangedMs since when holder, renewTime and leaseTransitions have not changed, on the sharder's own clock,
 *   without the time in which its watch was not healthy
 */
export function shardState(lease: Lease, unchangedMs: number): ShardState {
  // Taken by force: it gets nothing, and loses nothing before it surely has ended.
  if (mayStillWork(lease, unchangedMs)) return 'expired';
  if (isHandedOver(lease)) return unchangedMs >= holdOffMs ? 'uncertain' : 'expired';
  if (isReleased(lease)) return unchangedMs >= orphanedAfterMs ? 'orphaned' : 'dead';
  const durationMs = durationMsOf(lease);
  if (unchangedMs >= durationMs * uncertainAfterDurations) return 'uncertain';
  // Held by somebody who is not its shard: gets nothing, and loses nothing before the Lease ran out.
  if (holderOf(lease) !== lease.metadata.name) return 'expired';
  return unchangedMs < durationMs ? 'ready' : 'expired';
}

export const isGivenUp = (state: ShardState): boolean => state === 'dead' || state === 'orphaned';
