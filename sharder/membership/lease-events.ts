import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { leaseProblems } from './lease-problems.ts';
import type { Membership } from './membership.ts';

const intervalMs = 2_000;

/** Tells of each problem with a Lease by an Event on it, once for as long as it lasts. */
export class LeaseEvents {
  readonly #clock: Clock;
  readonly #membership: Membership;
  readonly #ringExists: (ring: string) => boolean;
  readonly #events: EventSink;
  #told = new Set<string>();

  constructor(options: {
    clock: Clock;
    membership: Membership;
    ringExists(ring: string): boolean;
    events: EventSink;
  }) {
    this.#clock = options.clock;
    this.#membership = options.membership;
    this.#ringExists = options.ringExists;
    this.#events = options.events;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#tell();
      await this.#clock.sleep(intervalMs, signal).catch(() => undefined);
    }
  }

  #tell(): void {
    const present = new Set<string>();
    const shards = this.#membership.shards();
    const strange = this.#membership.strange();
    for (const { lease, reason, note } of leaseProblems(shards, strange, this.#ringExists)) {
      const key = `${lease.metadata.uid}|${note}`;
      present.add(key);
      if (this.#told.has(key)) continue;
      this.#events.record({ regarding: lease, type: 'Warning', reason, action: 'Ignore', note });
    }
    this.#told = present;
  }
}
