import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { defaultLeaseDurationSeconds } from '@controller-sharding/shared/sharding/contract.ts';

interface Absence {
  ring: string;
  since: number;
  durationMs: number;
  told: boolean;
}

/** Labels are written by anybody, and every pod that goes leaves a name: the oldest is forgotten, and counted anew. */
const mostNames = 10_000;

/** Shards that have no Lease: names on objects, and Leases that were deleted. Each counts as dead after one duration. */
export class AbsentShards {
  readonly #clock: Clock;
  readonly #absences = new Map<string, Absence>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(ring: string, shard: string, durationMs: number): void {
    const key = `${ring}/${shard}`;
    if (this.#absences.has(key)) return;
    if (this.#absences.size >= mostNames) {
      for (const oldest of this.#absences.keys()) {
        this.#absences.delete(oldest);
        break;
      }
    }
    this.#absences.set(key, { ring, since: this.#clock.monotonic(), durationMs, told: false });
  }

  /** Whether the name has had no Lease for a whole duration; notes a name that is asked about for the first time. */
  isOver(ring: string, shard: string): boolean {
    this.note(ring, shard, defaultLeaseDurationSeconds * 1000);
    const absence = this.#absences.get(`${ring}/${shard}`);
    return absence !== undefined && this.#clock.monotonic() - absence.since >= absence.durationMs;
  }

  forget(ring: string, shard: string): void {
    this.#absences.delete(`${ring}/${shard}`);
  }

  /** Rings in which a name's time has run out since the last call. */
  newlyOver(): Set<string> {
    const now = this.#clock.monotonic();
    const rings = new Set<string>();
    for (const absence of this.#absences.values()) {
      if (absence.told || now - absence.since < absence.durationMs) continue;
      absence.told = true;
      rings.add(absence.ring);
    }
    return rings;
  }

  startOver(): void {
    const now = this.#clock.monotonic();
    for (const absence of this.#absences.values()) {
      if (!absence.told) absence.since = now;
    }
  }
}
