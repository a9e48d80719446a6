import type { Lease } from '../lease/lease.ts';
import { LeaseObservation } from '../lease/lease.ts';
import type { Clock } from '../runtime/clock.ts';
import type { SeenSlot } from './slot-choice.ts';

/** What a process that waits for a slot has seen of the slots' Leases, on its own clock. */
export class SlotSightings {
  readonly #clock: Clock;
  readonly #present = new Map<string, LeaseObservation>();
  /** Since when (monotonic ms) a name has been absent in every list. */
  readonly #absentSince = new Map<string, number>();
  readonly #vanished = new Set<string>();
  /** Names that exist, as the last attempt to create one said. */
  readonly #existing = new Set<string>();
  readonly #refused = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Names of Leases that are not of the ring. */
  get refused(): ReadonlySet<string> {
    return this.#refused;
  }

  /** Notes a consistent list of the ring's Leases. */
  seen(leases: readonly Lease[]): SeenSlot[] {
    const now = this.#clock.monotonic();
    const names = new Set(leases.map(({ metadata }) => metadata.name));
    for (const name of this.#present.keys()) {
      if (names.has(name)) continue;
      this.#present.delete(name);
      this.#vanished.add(name);
      this.#absentSince.set(name, now);
    }
    for (const name of this.#existing) if (!names.has(name)) this.#refused.add(name);
    this.#existing.clear();
    return leases.map((lease) => {
      const { name } = lease.metadata;
      this.#absentSince.delete(name);
      this.#vanished.delete(name);
      let observation = this.#present.get(name);
      if (observation === undefined) {
        observation = new LeaseObservation(this.#clock);
        this.#present.set(name, observation);
      }
      return { lease, unchangedMs: observation.observe(lease) };
    });
  }

  /** Whether there was a Lease of that name, which was deleted. */
  vanished(name: string): boolean {
    return this.#vanished.has(name);
  }

  /** For how long there has been no Lease of that name; 0 when it is asked for the first time. */
  absentMs(name: string): number {
    const now = this.#clock.monotonic();
    const since = this.#absentSince.get(name);
    if (since === undefined) this.#absentSince.set(name, now);
    return now - (since ?? now);
  }

  /** The name was to be created, and exists: somebody else's, unless the next list shows it. */
  exists(name: string): void {
    this.#existing.add(name);
  }
}
