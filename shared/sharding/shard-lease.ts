import { acquireLease } from '../lease/acquire-lease.ts';
import type { HeldLease, LeaseApi } from '../lease/held-lease.ts';
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
  const { client, clock, logger, ring, shard, identity, namespace, nameInUse } = options;
  const invalid = invalidShardName(shard);
  if (invalid !== undefined) throw new ShardClaimError(invalid);
  const claim = {
    namespace,
    name: shard,
    holder: shard,
    durationSeconds: options.durationSeconds ?? defaultLeaseDurationSeconds,
    labels: { [ringLabel]: ring },
    annotations: { [identityAnnotation]: identity },
  };
  const { held, how } = await acquireLease(
    { client, clock, logger, claim },
    (lease, unchangedMs) => decideShardClaim({ ring, shard, identity, lease, unchangedMs, nameInUse }),
    signal,
  );
  return { held, settling: how };
}

/** Says on the Lease that the wait is over, so that a restart of the process need not repeat it. */
export const markSettled = (held: HeldLease): void => held.dropMark(settlingAnnotation);
