import type { KubeObject, ObjectMeta } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';

export interface LeaseSpec {
  holderIdentity?: string | null;
  leaseDurationSeconds?: number | null;
  acquireTime?: string | null;
  renewTime?: string | null;
  leaseTransitions?: number | null;
}

export interface Lease extends KubeObject {
  metadata: ObjectMeta;
  spec?: LeaseSpec | null;
}

/** A date in the form of the API's MicroTime: always six fractional digits, the API server refuses three. */
export const microTime = (date: Date): string => `${date.toISOString().slice(0, -1)}000Z`;

/** Who holds the Lease; '' when it is released. */
export const holderOf = (lease: Lease): string => lease.spec?.holderIdentity ?? '';

/** Duration of the Lease in ms; a missing or senseless value counts as the default of 15 s. */
export const durationMsOf = (lease: Lease): number => {
  const seconds = lease.spec?.leaseDurationSeconds;
  return (typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : 15) * 1000;
};

/** The most that the API server takes for a duration or a count of transitions. */
export const greatestInt32 = 2 ** 31 - 1;

/** The count after the Lease went to another holder. */
export const nextTransitions = (lease: Lease): number =>
  Math.min((lease.spec?.leaseTransitions ?? 0) + 1, greatestInt32);

/** Two observations are of the same claim: nothing that a living holder changes has changed. */
export const sameClaim = (a: Lease, b: Lease): boolean =>
  a.metadata.uid === b.metadata.uid &&
  holderOf(a) === holderOf(b) &&
  a.spec?.renewTime === b.spec?.renewTime &&
  a.spec?.leaseTransitions === b.spec?.leaseTransitions;

/**
 * Whether a Lease was changed by its holder within its duration, by the observer's own monotonic clock:
 * the times that stand in the Lease are never compared with a local clock.
 */
export class LeaseObservation {
  readonly #clock: Clock;
  #last: Lease | undefined;
  #changedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes what was read; returns ms since the claim last changed (0 at the first look). */
  observe(lease: Lease): number {
    const now = this.#clock.monotonic();
    if (this.#last === undefined || !sameClaim(this.#last, lease)) this.#changedAt = now;
    this.#last = lease;
    return now - this.#changedAt;
  }
}
