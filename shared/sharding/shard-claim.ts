import type { AcquireDecision } from '../lease/acquire-lease.ts';
import { durationMsOf, holderOf, type Lease } from '../lease/lease.ts';
import {
  handedOverAnnotation,
  identityAnnotation,
  ringLabel,
  samePodDelayMs,
  settleMs,
  settlingAnnotation,
  sharderHolder,
} from './contract.ts';
import { mayStillWork } from './forced-takeover.ts';
import { isHandedOver } from './hold-off.ts';

/** How long a shard that took its name waits, and when it lists its objects. */
export interface Settling {
  /** Ms to wait before the objects are listed: a sharder that held the name dead may still move some. */
  beforeListMs: number;
  /** Ms to wait, after listing, before the first reconcile. */
  beforeReconcileMs: number;
}

const settle: Settling = { beforeListMs: settleMs, beforeReconcileMs: 0 };
const samePod: Settling = { beforeListMs: 0, beforeReconcileMs: samePodDelayMs };
const atOnce: Settling = { beforeListMs: 0, beforeReconcileMs: 0 };

/** The name can't be this shard's, now or later. */
export class ShardClaimError extends Error {
  override readonly name = 'ShardClaimError';
  readonly code = 'SHARD_CLAIM';
}

export interface ShardClaimInput {
  ring: string;
  shard: string;
  identity: string;
  /** What was read under the shard's name; undefined when there is no Lease. */
  lease: Lease | undefined;
  /** Since when the Lease's claim has not changed, on this process's clock. */
  unchangedMs: number;
  /** Whether a main object carries the name as its shard; asked only when there is no Lease. */
  nameInUse(): Promise<boolean>;
}

/**
 * Whether a process may take a shard's name, and how it has to settle then. A name that was released, taken over by
 * the sharder or deleted settles; so does one whose last holder crashed before it had settled. One that was handed over
 * doesn't.
 * Throws ShardClaimError when the Lease belongs to something else.
 */
export async function decideShardClaim(input: ShardClaimInput): Promise<AcquireDecision<Settling>> {
  const { ring, shard, identity, lease, unchangedMs } = input;
  if (lease === undefined) return take((await input.nameInUse()) ? settle : atOnce);
  const leaseRing = lease.metadata.labels?.[ringLabel];
  if (leaseRing !== ring) {
    throw new ShardClaimError(
      `the Lease ${lease.metadata.namespace}/${shard} belongs to ${leaseRing ? `the ring "${leaseRing}"` : 'no ring'}, ` +
        `not to "${ring}": choose another shard name or delete the Lease`,
    );
  }
  const holder = holderOf(lease);
  // By force, from a process that may not know yet.
  if (mayStillWork(lease, unchangedMs)) return { kind: 'wait' };
  const settled = lease.metadata.annotations?.[settlingAnnotation] === undefined;
  // The sharder ends the hold-off by taking the Lease over: while the mark stands, nothing of the name was moved.
  if (isHandedOver(lease)) return take(settled ? atOnce : settle);
  if (holder === '' || holder === sharderHolder) return take(settle);
  if (holder === shard && lease.metadata.annotations?.[identityAnnotation] === identity) {
    return take(settled ? samePod : settle);
  }
  if (unchangedMs < durationMsOf(lease)) return { kind: 'wait' };
  // A foreign holder's name is no shard to the sharder, so that it may have given the objects away.
  return take(holder === shard && settled ? atOnce : settle);
}

const take = (how: Settling): AcquireDecision<Settling> => ({
  kind: 'take',
  how,
  marks: { [handedOverAnnotation]: undefined, ...(how === settle && { [settlingAnnotation]: 'true' }) },
});
