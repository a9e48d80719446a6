import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel, sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';

export interface LeaseProbeOptions {
  client: Pick<ApiClient, 'list'>;
  clock: Clock;
  logger: Logger;
  /** A Lease as it was read by a request sent at `askedAt` (monotonic ms). */
  observe(lease: Lease, askedAt: number): void;
  /** All were read. */
  confirmed(askedAt: number): void;
}

const afterMs = 2_000;
const everyMs = 1_000;

/**
 * In a quiet ring nothing is received: reads all Leases, to know whether the API server is there and the view is right.
 * The next read doesn't wait for the answer to the last one, else a slow API server would look like one that is away,
 * again and again.
 */
export class LeaseProbe {
  readonly #options: LeaseProbeOptions;
  readonly #underway = new Set<Promise<void>>();
  #sentAt = -Infinity;

  constructor(options: LeaseProbeOptions) {
    this.#options = options;
  }

  /** To be called several times a second with the age of the view. */
  tick(ageMs: number, signal: AbortSignal): void {
    const now = this.#options.clock.monotonic();
    if (ageMs <= afterMs || now - this.#sentAt < everyMs) return;
    this.#sentAt = now;
    const read = this.#read(now, signal).finally(() => this.#underway.delete(read));
    this.#underway.add(read);
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await Promise.all(this.#underway);
  }

  async #read(sentAt: number, signal: AbortSignal): Promise<void> {
    const { client, logger, observe, confirmed } = this.#options;
    const options = { labelSelector: ringLabel, signal, timeoutMs: sharderRequestMs };
    try {
      for await (const { items } of client.list<Lease>(leases, 'full', options)) {
        for (const lease of items) observe(lease, sentAt);
      }
      confirmed(sentAt);
    } catch (error) {
      if (!signal.aborted) logger.debug({ err: error }, 'the Leases could not be read');
    }
  }
}
