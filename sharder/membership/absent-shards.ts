import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { defaultLeaseDurationSeconds } from '@controller-sharding/shared/sharding/contract.ts';

interface Absence {
  ring: string;
  since: number;
  askedAt: number;
  durationMs: number;
  told: boolean;
}

/** Labels are written by anybody, and every pod that goes leaves a name. */
const mostNames = 10_000;
/** What nobody has asked for during so long makes room for others. */
const unaskedMs = 600_000;

/**
 * Shards that have no Lease: names on objects, and Leases that were deleted. Each counts as dead after one duration.
 * When there are too many, new names have to wait until others are forgotten: if they took the places of others, the
 * time of none would ever run out. The names of deleted Leases have places of their own.
 */
export class AbsentShards {
  readonly #clock: Clock;
  /** Each in the order in which they were last asked for. */
  readonly #named = new Map<string, Absence>();
  readonly #leased = new Map<string, Absence>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Its Lease was deleted. */
  note(ring: string, shard: string, durationMs: number): void {
    const key = keyOf(ring, shard);
    if (this.#leased.has(key)) return;
    this.#named.delete(key);
    this.#add(this.#leased, key, ring, durationMs);
  }

  /** Whether the name has had no Lease for a whole duration; notes a name that is asked about for the first time. */
  isOver(ring: string, shard: string): boolean {
    const key = keyOf(ring, shard);
    const absences = this.#leased.has(key) ? this.#leased : this.#named;
    const known = absences.get(key);
    const now = this.#clock.monotonic();
    if (known === undefined) {
      this.#add(this.#named, key, ring, defaultLeaseDurationSeconds * 1000);
      return false;
    }
    known.askedAt = now;
    absences.delete(key);
    absences.set(key, known);
    return now - known.since >= known.durationMs;
  }

  forget(ring: string, shard: string): void {
    const key = keyOf(ring, shard);
    this.#named.delete(key);
    this.#leased.delete(key);
  }

  /** Rings in which a name's time has run out since the last call. */
  newlyOver(): Set<string> {
    const now = this.#clock.monotonic();
    const rings = new Set<string>();
    for (const absence of this.#all()) {
      if (absence.told || now - absence.since < absence.durationMs) continue;
      absence.told = true;
      rings.add(absence.ring);
    }
    return rings;
  }

  startOver(): void {
    const now = this.#clock.monotonic();
    for (const absence of this.#all()) {
      if (!absence.told) absence.since = now;
    }
  }

  #add(absences: Map<string, Absence>, key: string, ring: string, durationMs: number): void {
    const now = this.#clock.monotonic();
    if (absences.size >= mostNames) {
      const [oldest] = absences;
      if (oldest === undefined || now - oldest[1].askedAt < unaskedMs) return;
      absences.delete(oldest[0]);
    }
    absences.set(key, { ring, since: now, askedAt: now, durationMs, told: false });
  }

  *#all(): Iterable<Absence> {
    yield* this.#named.values();
    yield* this.#leased.values();
  }
}

const keyOf = (ring: string, shard: string): string => `${ring}/${shard}`;
