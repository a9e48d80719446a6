import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { ApiClient } from '../kube/api-client.ts';
import { fencedClient } from '../lease/fenced-client.ts';
import type { HeldLease } from '../lease/held-lease.ts';
import { becomeLeader } from '../lease/leader-election.ts';
import { checkLeaseDuration } from '../lease/lease-claim.ts';
import { FencedError } from '../lease/write-fence.ts';
import { type LeaderElectionObserver, leaderElectionMetrics } from '../metrics/leader-election.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface LeaderElectionOptions {
  /** Of the Lease. */
  namespace: string;
  name: string;
  /**
   * Of this process: of two with the same, both lead (the name of a pod is not enough: one that was deleted by force may
   * still run beside the next of its name). Default: host name and a random id.
   */
  identity?: string | undefined;
  /** How long a leader that has gone without releasing its Lease holds up the others; at least 5. Default 15. */
  durationSeconds?: number | undefined;
}

const defaultDurationSeconds = 15;

interface LeadershipOptions {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  registry: Registry | undefined;
}

/** This process's part in a leader election. */
export class Leadership {
  /** Writes with it begin only while this process surely leads; else they fail with FencedError. */
  readonly client: ApiClient;
  readonly #options: LeadershipOptions;
  readonly #election: LeaderElectionOptions;
  readonly #metrics: LeaderElectionObserver | undefined;
  readonly #ended = new AbortController();
  #held: HeldLease | undefined;

  /** Throws RangeError for a duration that makes no sense. */
  constructor(options: LeadershipOptions, election: LeaderElectionOptions) {
    checkLeaseDuration(election.durationSeconds ?? defaultDurationSeconds);
    this.#options = options;
    this.#election = election;
    this.#metrics = options.registry && leaderElectionMetrics(options.registry).observe(election.name);
    this.client = fencedClient(options.client, () => {
      if (this.#held === undefined) throw new FencedError('not written: this process does not lead yet');
      return this.#held.fence.permit();
    });
  }

  /** Waits until this process leads; rejects with the signal's reason when it is aborted first. */
  async acquire(signal: AbortSignal): Promise<void> {
    const { client, clock, logger } = this.#options;
    const { namespace, name, identity, durationSeconds = defaultDurationSeconds } = this.#election;
    const holder = identity ?? `${hostname()}_${randomUUID()}`;
    const claim = { namespace, name, holder, durationSeconds };
    logger.info({ lease: name, identity: holder }, 'waiting for leadership');
    this.#held = await becomeLeader(
      { client, clock, logger, claim, onSlowPath: () => this.#metrics?.slowPath() },
      signal,
    );
    logger.info({ lease: name, identity: holder }, 'leading');
    this.#metrics?.leading(true);
  }

  /** Renews the Lease until `end`. Throws LeaseLostError. */
  async keep(): Promise<void> {
    try {
      await this.#held?.keep(this.#ended.signal);
    } finally {
      this.#metrics?.leading(false);
    }
  }

  /** `release`: nothing is at work that relies on leading, so another process may lead at once. */
  async end(release: boolean): Promise<void> {
    this.#ended.abort();
    if (release) await this.#held?.release();
  }
}
