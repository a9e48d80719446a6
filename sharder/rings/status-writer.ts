import { isDeepStrictEqual } from 'node:util';
import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { controllerRings } from '@controller-sharding/shared/kube/resources.ts';
import { compareResourceVersions } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import type {
  ControllerRing,
  ControllerRingStatus,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { type RingFacts, readyCondition, ringStatus } from './ring-status.ts';

export interface StatusWriterOptions {
  client: Pick<ApiClient, 'patchStatus'>;
  clock: Clock;
  events: EventSink;
}

/** A status of which only the message changes (how many objects are on the move) is written at most so often. */
export const messageEveryMs = 10_000;

/** Writes the status of rings where it is not what it should be, and tells of each new reason by an Event. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  /** What was written last, by the ring's name, and when (monotonic ms): the view of the rings may be behind. */
  readonly #written = new Map<string, { ring: ControllerRing; at: number }>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  forget(name: string): void {
    this.#written.delete(name);
  }

  async write(ring: ControllerRing, facts: RingFacts, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const { name } = ring.metadata;
    const written = this.#written.get(name);
    const before = written !== undefined && isBehind(ring, written.ring) ? written.ring.status : ring.status;
    const status = ringStatus({ ...ring, ...(before && { status: before }) }, facts, clock.now());
    if (isDeepStrictEqual(before, status)) return;
    const sinceMs = clock.monotonic() - (written?.at ?? -Infinity);
    if (sinceMs < messageEveryMs && isDeepStrictEqual(unworded(before), unworded(status))) return;
    const patch = { type: 'merge' as const, body: { status } };
    try {
      const options = { signal, timeoutMs: sharderRequestMs };
      const answer = await client.patchStatus<ControllerRing>(controllerRings, { name }, patch, options);
      this.#written.set(name, { ring: { ...answer, status }, at: clock.monotonic() });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    this.#tell(ring, before, status);
  }

  #tell(ring: ControllerRing, before: ControllerRingStatus | undefined, now: ControllerRingStatus): void {
    const old = readyCondition(before);
    const ready = readyCondition(now);
    if (ready === undefined || (old?.status === ready.status && old.reason === ready.reason)) return;
    const { reason, message: note } = ready;
    const type = ready.status === 'True' ? 'Normal' : 'Warning';
    this.#options.events.record({ regarding: ring, type, reason, action: 'Shard', note });
  }
}

const isBehind = ({ metadata: seen }: ControllerRing, { metadata: written }: ControllerRing): boolean =>
  seen.uid === written.uid &&
  compareResourceVersions(seen.resourceVersion ?? '0', written.resourceVersion ?? '0') < 0;

const unworded = (status: ControllerRingStatus | undefined): unknown => ({
  ...status,
  conditions: status?.conditions?.map((condition) => ({ ...condition, message: '' })),
});
