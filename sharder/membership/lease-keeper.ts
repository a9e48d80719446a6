import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isConflict, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { objectKey } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { sharderRequestMs, stateLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { Membership, ShardView } from './membership.ts';
import { takenOver } from './taken-over.ts';

export interface LeaseKeeperOptions {
  client: Pick<ApiClient, 'update' | 'patch' | 'delete'>;
  clock: Clock;
  logger: Logger;
  membership: Membership;
  /** Leases of a ring that doesn't exist get their state label, nothing else. */
  ringExists(ring: string): boolean;
  /** Whether a look at the API server, made now, finds nothing that still carries the dead shard's name. */
  isEmpty(ring: string, shard: string, signal: AbortSignal): Promise<boolean>;
}

const intervalMs = 250;
const retryMs = 1_000;
/** An orphan that something still carries the name of is in no hurry. */
const lookAgainMs = 10_000;

/** The leader's writes to the shards' Leases: the state label, the takeover of a silent one, the end of an orphan. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #busy = new Set<string>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, membership } = this.#options;
    const underway = new Set<Promise<void>>();
    while (!signal.aborted) {
      for (const view of membership.shards()) {
        const key = objectKey(view.lease.metadata);
        const task = this.#taskFor(view);
        if (task === undefined || this.#busy.has(key)) continue;
        this.#busy.add(key);
        const done = this.#attempt(key, task, signal).finally(() => {
          this.#busy.delete(key);
          underway.delete(done);
        });
        underway.add(done);
      }
      await clock.sleep(intervalMs, signal).catch(() => undefined);
    }
    await Promise.all(underway);
  }

  #taskFor(view: ShardView): ((signal: AbortSignal) => Promise<void>) | undefined {
    const ringExists = this.#options.ringExists(view.ring);
    if (view.state === 'uncertain' && ringExists) return (signal) => this.#takeOver(view, signal);
    if (view.lease.metadata.labels?.[stateLabel] !== view.state) return (signal) => this.#label(view, signal);
    if (view.state === 'orphaned' && ringExists) return (signal) => this.#remove(view, signal);
    return undefined;
  }

  async #attempt(
    key: string,
    task: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      await task(signal);
    } catch (error) {
      if (signal.aborted) return;
      // Somebody else wrote: the watch brings what they wrote, and it is decided again.
      if (!isConflict(error) && !isNotFound(error))
        logger.warn({ err: error, lease: key }, 'a Lease could not be written');
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }

  /** Succeeds only if the shard has not renewed since it was last seen. */
  async #takeOver({ lease, shard, ring }: ShardView, signal: AbortSignal): Promise<void> {
    const { client, clock, membership, logger } = this.#options;
    const options = { signal, timeoutMs: sharderRequestMs };
    const sentAt = clock.monotonic();
    membership.observe(await client.update(leases, takenOver(lease, clock.now()), options), sentAt);
    logger.info({ ring, shard }, 'took over the Lease of a shard that does not renew it');
  }

  async #label({ lease, state }: ShardView, signal: AbortSignal): Promise<void> {
    const { client, clock, membership } = this.#options;
    const sentAt = clock.monotonic();
    const body = { metadata: { labels: { [stateLabel]: state } } };
    const options = { signal, timeoutMs: sharderRequestMs };
    const labelled = await client.patch<Lease>(leases, lease.metadata, { type: 'merge', body }, options);
    membership.observe(labelled, sentAt);
  }

  async #remove({ lease, ring, shard }: ShardView, signal: AbortSignal): Promise<void> {
    const { client, clock, membership, isEmpty } = this.#options;
    // What carries the name is another one's, that claims it in another namespace.
    const isAnothers = !membership.isGivenUp(ring, shard);
    if (!isAnothers && !(await isEmpty(ring, shard, signal))) {
      await clock.sleep(lookAgainMs, signal);
      return;
    }
    const { uid, resourceVersion } = lease.metadata;
    await client.delete(leases, lease.metadata, {
      signal,
      timeoutMs: sharderRequestMs,
      uid,
      resourceVersion,
    });
  }
}
