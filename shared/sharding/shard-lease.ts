import { acquireLease } from '../lease/acquire-lease.ts';
import type { HeldLease, LeaseApi } from '../lease/held-lease.ts';
import type { LeaseClaim } from '../lease/lease-claim.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import {
  defaultLeaseDurationSeconds,
  identityAnnotation,
  invalidShardName,
  ringLabel,
  settlingAnnotation,
} from './contract.ts';
import { decideShardClaim, type Settling, ShardClaimError } from './shard-claim.ts';

export interface ShardLeaseOptions {
  client: LeaseApi;
  clock: Clock;
  logger: Logger;
  ring: string;
  shard: string;
  namespace: string;
  /** What tells two processes of the same name apart: the pod's uid. */
  identity: string;
  durationSeconds?: number;
  /** Whether any main object carries this shard's label, by a consistent read. */
  nameInUse(): Promise<boolean>;
}

/** Announces the shard by its Lease. Throws ShardClaimError when the name is not valid or belongs to something else. */
export async function acquireShardLease(
  options: ShardLeaseOptions,
  signal: AbortSignal,
): Promise<{ held: HeldLease; settling: Settling }> {
  const { client, clock, logger, ring, shard, identity, nameInUse } = options;
  const invalid = invalidShardName(shard);
  if (invalid !== undefined) throw new ShardClaimError(invalid);
  const { held, how } = await acquireLease(
    { client, clock, logger, claim: shardClaim(options) },
    (lease, unchangedMs) => decideShardClaim({ ring, shard, identity, lease, unchangedMs, nameInUse }),
    signal,
  );
  return { held, settling: how };
}

/** What a shard writes into its Lease. */
export const shardClaim = ({
  ring,
  shard,
  identity,
  namespace,
  durationSeconds = defaultLeaseDurationSeconds,
}: Pick<ShardLeaseOptions, 'ring' | 'shard' | 'identity' | 'namespace' | 'durationSeconds'>): LeaseClaim => ({
  namespace,
  name: shard,
  holder: shard,
  durationSeconds,
  labels: { [ringLabel]: ring },
  annotations: { [identityAnnotation]: identity },
});

/** Says on the Lease that the wait is over, so that a restart of the process need not repeat it. */
export const markSettled = (held: HeldLease): void => held.dropMark(settlingAnnotation);
