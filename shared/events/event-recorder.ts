import { randomBytes } from 'node:crypto';
import type { ApiClient } from '../kube/api-client.ts';
import { isForbidden, isNotFound, messageOf } from '../kube/errors.ts';
import { events } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { microTime } from '../lease/lease.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** Something worth knowing about an object, for the person who runs `kubectl describe` or `kubectl events`. */
export interface ObjectEvent {
  /** The object that it is about. */
  regarding: KubeObject;
  type: 'Normal' | 'Warning';
  /** Why, as one word in CamelCase: people and programs filter by it. */
  reason: string;
  /** What was, or is to be, done about it, as one word in CamelCase. */
  action: string;
  /** For people; cut at 1,024 bytes, which is all the API server takes. */
  note: string;
}

/** Where events go: what tells them doesn't wait, and doesn't care whether they arrive. */
export interface EventSink {
  record(event: ObjectEvent): void;
}

interface EventDocument extends KubeObject {
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  type: string;
  reason: string;
  action: string;
  note: string;
  regarding: Record<string, string | undefined>;
}

interface Known {
  /** How often it happened. */
  count: number;
  /** Monotonic ms. */
  sentAt: number;
  queued: boolean;
  event: ObjectEvent;
  /** The API object that tells of it, once there is one. */
  ref: { namespace: string; name: string } | undefined;
}

export interface EventRecorderOptions {
  client: Pick<ApiClient, 'create' | 'patch'>;
  clock: Clock;
  logger: Logger;
  /** Name of the program, as in `sharding.timebertt.dev/sharder`. */
  controller: string;
  /** Which of its processes. */
  instance: string;
}

/** An event that happens again is told of at most this often, as a series with a count. */
const repeatMs = 300_000;
/** Different events that are remembered, and those that wait to be sent, at most. The oldest go first. */
const mostKnown = 1_000;
const mostNoteBytes = 1_024;
const pauseMs = 50;
const idleMs = 1_000;
const requestMs = 5_000;

/**
 * Writes events (events.k8s.io/v1), one request at a time. The same event of an object becomes one API object whose
 * series counts its repetitions. An event that can't be written is dropped.
 */
export class EventRecorder implements EventSink {
  readonly #options: EventRecorderOptions;
  readonly #known = new Map<string, Known>();
  readonly #queue: Known[] = [];
  #refused = false;
  #wake: () => void = () => undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(event: ObjectEvent): void {
    const known = this.#know(event);
    known.count += 1;
    const again = known.count > 1 && this.#options.clock.monotonic() - known.sentAt < repeatMs;
    if (known.queued || again || this.#queue.length >= mostKnown) return;
    known.queued = true;
    this.#queue.push(known);
    this.#wake();
  }

  /** Sends until the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next === undefined) {
        await this.#idle(signal);
        continue;
      }
      next.queued = false;
      next.sentAt = clock.monotonic();
      await this.#send(next, signal);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  #know(event: ObjectEvent): Known {
    const { uid, namespace, name } = event.regarding.metadata;
    const key = [event.regarding.kind, namespace, name, uid, event.type, event.reason, event.note].join('|');
    let known = this.#known.get(key);
    if (known === undefined) {
      known = { count: 0, sentAt: -Infinity, queued: false, event, ref: undefined };
      if (this.#known.size >= mostKnown) {
        for (const oldest of this.#known.keys()) {
          this.#known.delete(oldest);
          break;
        }
      }
    }
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  async #send(known: Known, signal: AbortSignal): Promise<void> {
    const { client, logger, clock } = this.#options;
    const options = { signal, timeoutMs: requestMs };
    try {
      if (known.ref !== undefined) {
        const series = { count: known.count, lastObservedTime: microTime(clock.now()) };
        try {
          await client.patch(events, known.ref, { type: 'merge', body: { series } }, options);
          return;
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      const document = this.#document(known.event);
      await client.create(events, document, options);
      known.ref = { namespace: document.metadata.namespace ?? '', name: document.metadata.name };
    } catch (error) {
      if (signal.aborted) return;
      const fields = { reason: messageOf(error), event: known.event.reason };
      if (isForbidden(error) && this.#refused) logger.debug(fields, 'an event could not be written');
      else logger.warn(fields, 'an event could not be written');
      this.#refused ||= isForbidden(error);
    }
  }

  #document({ regarding, type, reason, action, note }: ObjectEvent): EventDocument {
    const { clock, controller, instance } = this.#options;
    const { name, namespace, uid, resourceVersion } = regarding.metadata;
    return {
      metadata: {
        name: `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}`,
        namespace: namespace ?? 'default', // where events of cluster-scoped objects are
      },
      eventTime: microTime(clock.now()),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type,
      reason,
      action,
      note: cut(note),
      regarding: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name,
        namespace,
        uid,
        resourceVersion,
      },
    };
  }

  async #idle(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#options.clock.sleep(idleMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
  }
}

/** At most 1,024 bytes of UTF-8, never half a character. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= mostNoteBytes) return note;
  let end = mostNoteBytes - 3;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}
