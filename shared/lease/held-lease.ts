import type { ApiClient } from '../kube/api-client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/errors.ts';
import { leases } from '../kube/resources.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { holderOf, type Lease } from './lease.ts';
import { claimed, isHeldBy, type LeaseClaim, labelled, released, renewed } from './lease-claim.ts';
import { WriteFence } from './write-fence.ts';

/** The Lease is somebody else's now, or could not be renewed in time: the process has to end. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  readonly code = 'LEASE_LOST';
}

export type LeaseApi = Pick<ApiClient, 'get' | 'create' | 'update'>;

export interface HeldLeaseOptions {
  client: LeaseApi;
  clock: Clock;
  logger: Logger;
  claim: LeaseClaim;
  /** The Lease had been changed by somebody else: it is read before it is renewed. */
  onSlowPath?: (() => void) | undefined;
}

const renewalsPerDuration = 7.5;
const requestMs = 3_000;
const retryMs = 500;

/** A Lease that this process holds: renews it until told to stop, and says until when writes may start. */
export class HeldLease {
  readonly fence: WriteFence;
  readonly #options: HeldLeaseOptions;
  #lease: Lease;
  #droppedMark: string | undefined;

  /** `lease` as the API server answered the write that acquired it, which was sent at `sentAt` (monotonic ms). */
  constructor(options: HeldLeaseOptions, lease: Lease, sentAt: number) {
    this.#options = options;
    this.#lease = lease;
    this.fence = new WriteFence(options.clock, options.claim.durationSeconds * 1000);
    this.fence.renewed(sentAt);
  }

  /** As it was written or read last. */
  get lease(): Lease {
    return this.#lease;
  }

  /** Renews until the signal is aborted. Throws LeaseLostError when the Lease is lost. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, claim, logger } = this.#options;
    const intervalMs = (claim.durationSeconds * 1000) / renewalsPerDuration;
    let pauseMs = intervalMs;
    while (!signal.aborted) {
      await clock
        .sleep(Math.max(0, Math.min(pauseMs, this.fence.startableMs)), signal)
        .catch(() => undefined);
      if (signal.aborted) return;
      if (this.fence.startableMs <= 0) throw this.#lost('it could not be renewed in time');
      try {
        await this.#renew(renewed);
        pauseMs = intervalMs;
      } catch (error) {
        if (signal.aborted) return; // it may have met the release
        if (error instanceof LeaseLostError) throw error;
        logger.warn({ err: error, lease: claim.name }, 'renewal of the Lease failed');
        pauseMs = retryMs;
      }
    }
  }

  /** The next renewal takes this annotation off the Lease. */
  dropMark(annotation: string): void {
    this.#droppedMark = annotation;
  }

  /**
   * Gives the Lease up, so that others need not wait for its end. No write is permitted from now on.
   *
   * @param marks annotations for whoever takes it next
   */
  async release(marks?: Record<string, string>): Promise<void> {
    const { claim, clock, logger } = this.#options;
    while (this.fence.startableMs > 0) {
      try {
        await this.#renew((lease, now) => released(lease, now, marks));
        break;
      } catch (error) {
        if (error instanceof LeaseLostError) break;
        logger.warn({ err: error, lease: claim.name }, 'release of the Lease failed');
        await clock.sleep(retryMs);
      }
    }
    this.fence.close();
  }

  /** No request outlasts the time in which the Lease is surely held. */
  get #timeoutMs(): number {
    return Math.max(1, Math.floor(Math.min(requestMs, this.fence.startableMs)));
  }

  async #renew(change: (lease: Lease, now: Date) => Lease): Promise<void> {
    const { client, clock, claim } = this.#options;
    const sentAt = clock.monotonic();
    try {
      const body = labelled(this.#unmarked(change(this.#lease, clock.now())), claim);
      this.#lease = await client.update(leases, body, { timeoutMs: this.#timeoutMs, priority: true });
      this.fence.renewed(sentAt);
    } catch (error) {
      if (isNotFound(error) && this.fence.startableMs > 0) await this.#recreate();
      else if (isConflict(error)) await this.#readAgain();
      else throw error;
      if (this.fence.startableMs > 0) await this.#renew(change);
    }
  }

  /** Somebody wrote in between: a label, an annotation, or another holder. Only the latter ends us. */
  async #readAgain(): Promise<void> {
    const { client, claim, onSlowPath } = this.#options;
    onSlowPath?.();
    let lease: Lease;
    try {
      lease = await client.get<Lease>(leases, claim, { timeoutMs: this.#timeoutMs, priority: true });
    } catch (error) {
      if (!isNotFound(error) || this.fence.startableMs <= 0) throw error;
      return this.#recreate(); // the update of a Lease that is gone fails for its uid: 409, not 404
    }
    if (!isHeldBy(lease, claim)) throw this.#lost(`it is held by "${holderOf(lease)}" now`);
    this.#lease = lease;
  }

  /** A deleted Lease says nothing about its holder, who puts it back. */
  async #recreate(): Promise<void> {
    const { client, claim, clock } = this.#options;
    const {
      uid: _uid,
      resourceVersion: _version,
      creationTimestamp: _created,
      ...metadata
    } = this.#lease.metadata;
    const sentAt = clock.monotonic();
    try {
      const body = claimed({ ...this.#lease, metadata }, claim, clock.now());
      this.#lease = await client.create(leases, body, { timeoutMs: this.#timeoutMs, priority: true });
      this.fence.renewed(sentAt);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.#readAgain();
    }
  }

  #unmarked(lease: Lease): Lease {
    if (this.#droppedMark === undefined || lease.metadata.annotations?.[this.#droppedMark] === undefined)
      return lease;
    const { [this.#droppedMark]: _dropped, ...annotations } = lease.metadata.annotations;
    return { ...lease, metadata: { ...lease.metadata, annotations } };
  }

  #lost(why: string): LeaseLostError {
    this.fence.close();
    const { namespace, name } = this.#options.claim;
    return new LeaseLostError(`lost the Lease ${namespace}/${name}: ${why}`);
  }
}
