import { isAlreadyExists, isConflict, isNotFound } from '../kube/errors.ts';
import { leases } from '../kube/resources.ts';
import { HeldLease, type HeldLeaseOptions } from './held-lease.ts';
import { type Lease, LeaseObservation } from './lease.ts';
import { checkLeaseDuration, claimed } from './lease-claim.ts';

type Marks = Record<string, string | undefined>;

/** What to do about a Lease that was just read: write the claim, or look again later. */
export type AcquireDecision<Taken> =
  | {
      kind: 'take';
      how: Taken /** Annotations to write with the claim; undefined: to take off. */;
      marks?: Marks;
    }
  | { kind: 'wait' };

/**
 * @param lease what was read; undefined when there is none
 * @param unchangedMs since when its claim has not changed, on the reader's own clock
 */
export type DecideAcquire<Taken> = (
  lease: Lease | undefined,
  unchangedMs: number,
) => AcquireDecision<Taken> | Promise<AcquireDecision<Taken>>;

/**
 * Who has stood by sees a leader's last renewal sooner than one who starts after that leader's end, and so goes first:
 * its observations of the shards are older.
 */
const lookMs = 1_000;
const retryMs = 1_000;
const requestMs = 3_000;

/**
 * Looks at the Lease until `decide` says to take it, then writes the claim by compare-and-swap.
 * Errors of the API server are waited out, but for a namespace that isn't there (ApiError 404). That, what `decide`
 * throws, and the signal's reason are thrown. Throws RangeError for a duration that makes no sense.
 */
export async function acquireLease<Taken>(
  options: HeldLeaseOptions,
  decide: DecideAcquire<Taken>,
  signal: AbortSignal,
): Promise<{ held: HeldLease; how: Taken }> {
  const { client, clock, claim, logger } = options;
  checkLeaseDuration(claim.durationSeconds);
  const observation = new LeaseObservation(clock);
  for (;;) {
    signal.throwIfAborted();
    let lease: Lease | undefined;
    try {
      lease = await readLease(options, signal);
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ err: error, lease: claim.name }, 'reading the Lease failed');
      await clock.sleep(retryMs, signal);
      continue;
    }
    const decision = await decide(lease, lease === undefined ? 0 : observation.observe(lease));
    if (decision.kind === 'wait') {
      await clock.sleep(lookMs, signal);
      continue;
    }
    const body = claimed(lease, claim, clock.now(), decision.marks);
    const sentAt = clock.monotonic();
    try {
      // Not ended by the signal: a claim whose answer nobody waits for would hold up everybody until it runs out.
      const written = await (lease === undefined
        ? client.create(leases, body, { timeoutMs: requestMs, priority: true })
        : client.update(leases, body, { timeoutMs: requestMs, priority: true }));
      const held = new HeldLease(options, written, sentAt);
      if (!signal.aborted) return { held, how: decision.how };
      await held.release();
    } catch (error) {
      signal.throwIfAborted();
      if (isConflict(error) || isAlreadyExists(error)) continue;
      // There is no such namespace.
      if (isNotFound(error) && lease === undefined) throw error;
      logger.warn({ err: error, lease: claim.name }, 'acquiring the Lease failed');
      await clock.sleep(retryMs, signal);
    }
  }
}

async function readLease(
  { client, claim }: HeldLeaseOptions,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  try {
    return await client.get<Lease>(leases, claim, { signal, timeoutMs: requestMs, priority: true });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
