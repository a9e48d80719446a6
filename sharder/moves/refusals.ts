import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import { ApiError, messageOf } from '@controller-sharding/shared/kube/errors.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { isMissingRight } from '../rings/missing-rights.ts';

/** A policy may refuse all objects: so many are told of, and no more for a while. */
const mostTold = 20;
const whileMs = 300_000;

/** Tells by an Event on the object that somebody (a policy, a webhook, its own schema) refuses to have it labelled. */
export class Refusals {
  readonly #events: EventSink;
  readonly #clock: Clock;
  readonly #told = new Set<string>();
  #since = -Infinity;

  constructor(events: EventSink, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  /** `error` is what a label write of the object ended with. */
  note(object: PartialObject, error: unknown): void {
    if (!isRefusal(error)) return;
    const now = this.#clock.monotonic();
    if (now - this.#since >= whileMs) {
      this.#since = now;
      this.#told.clear();
    }
    const { uid = '' } = object.metadata;
    if (this.#told.has(uid) || this.#told.size >= mostTold) return;
    this.#told.add(uid);
    const note = `Its shard labels can't be changed, which is tried again and again: ${messageOf(error)}`;
    this.#events.record({
      regarding: object,
      type: 'Warning',
      reason: 'LabelRefused',
      action: 'Place',
      note,
    });
  }
}

/** Of this object; what the sharder has no right to, the ring's status tells. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && [400, 403, 422].includes(error.status) && !isMissingRight(error);
