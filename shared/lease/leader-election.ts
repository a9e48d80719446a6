import { acquireLease } from './acquire-lease.ts';
import type { HeldLease, HeldLeaseOptions } from './held-lease.ts';
import { durationMsOf, holderOf } from './lease.ts';

/**
 * Waits until this process is the leader: the Lease is absent, released, already its own, or was not renewed for its
 * full duration on this process's own clock. Throws the signal's reason when aborted.
 */
export async function becomeLeader(options: HeldLeaseOptions, signal: AbortSignal): Promise<HeldLease> {
  const { held } = await acquireLease(
    options,
    (lease, unchangedMs) => {
      const free =
        lease === undefined ||
        holderOf(lease) === '' ||
        holderOf(lease) === options.claim.holder ||
        unchangedMs >= durationMsOf(lease);
      return free ? { kind: 'take', how: undefined } : { kind: 'wait' };
    },
    signal,
  );
  return held;
}
