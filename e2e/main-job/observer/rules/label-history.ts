import { compareResourceVersions } from '@controller-sharding/shared/kube/types.ts';
import type { MachineMs, ObjectSeen } from '../events.ts';

/** From `resourceVersion` on, the object belonged to `shard`; the observer saw it at `seenAt`. */
export interface Assignment {
  resourceVersion: string;
  seenAt: MachineMs;
  shard: string | undefined;
}

/** Who an object belonged to, by the API server's own order and by the time the observer saw it. */
export class LabelHistory {
  readonly #assignments: Assignment[] = [];
  goneAt: MachineMs | undefined;

  /** Adds what was seen; true when the assignment differs from the one before. */
  add({ resourceVersion, at, shard }: ObjectSeen): boolean {
    const last = this.#assignments.at(-1);
    if (last !== undefined && last.shard === shard) return false;
    this.#assignments.push({ resourceVersion, seenAt: at, shard });
    return last !== undefined;
  }

  /** The assignment that a write with this resourceVersion met; undefined when that is before the history. */
  before(resourceVersion: string): Assignment | undefined {
    return this.#assignments.findLast(
      (assignment) => compareResourceVersions(assignment.resourceVersion, resourceVersion) < 0,
    );
  }

  /** Whether a later write than this one gave it to that shard. */
  givenAfter(resourceVersion: string, shard: string): boolean {
    return this.#assignments.some(
      (assignment) =>
        assignment.shard === shard &&
        compareResourceVersions(assignment.resourceVersion, resourceVersion) > 0,
    );
  }

  /** The last assignment that the observer had seen by then. */
  seenBy(at: MachineMs): Assignment | undefined {
    return this.#assignments.findLast(({ seenAt }) => seenAt < at);
  }

  seenSince(at: MachineMs): Assignment[] {
    return this.#assignments.filter(({ seenAt }) => seenAt >= at);
  }

  /** Whether this write changed the assignment. */
  changedAt(resourceVersion: string): boolean {
    return this.#assignments.some(
      (assignment, index) => index > 0 && assignment.resourceVersion === resourceVersion,
    );
  }

  /** Drops what was superseded before that time. */
  forget(before: MachineMs): void {
    const keepFrom = this.#assignments.findLastIndex(({ seenAt }) => seenAt <= before);
    if (keepFrom > 0) this.#assignments.splice(0, keepFrom);
  }
}
