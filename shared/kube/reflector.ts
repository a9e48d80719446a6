import type { Clock } from '../runtime/clock.ts';
import { Slice } from '../runtime/event-loop.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ApiClient, Form, WatchEvent } from './api-client.ts';
import { ApiError, isForbidden, isGone, messageOf, TransportError } from './errors.ts';
import { ReconnectBackoff } from './reconnect-backoff.ts';
import { SilenceTimer } from './silence-timer.ts';
import { type KubeObject, objectKey, type Resource, resourceName } from './types.ts';

/** What the reflector tells of; calls follow each other in the order of the API server's history. */
export interface ReflectorSink<T> {
  /** These objects are all there are. The next call comes after the promise has resolved. */
  replace(objects: ReadonlyMap<string, T>): Promise<void>;
  upsert(key: string, object: T): void;
  /** `last`: the object as the API server last had it, if it said so. */
  remove(key: string, last: T | undefined): void;
}

/** How well the view of the API server is kept. */
export interface ReflectorHealth {
  /** A list was taken over, or a watch was accepted: what it has to catch up with is then still to come. */
  connected(): void;
  /** An event or bookmark of a running watch was taken over; not those of a list under way. */
  progress(): void;
  /** A list or watch failed (a watch that the API server ends in good order didn't); tried again until `connected`. */
  disconnected(error: unknown): void;
}

export interface ReflectorOptions<T extends KubeObject, P extends KubeObject = T> {
  client: Pick<ApiClient, 'list' | 'watch'>;
  resource: Resource;
  form: Form;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Objects for which it is false are treated as if they didn't exist. */
  keep?: ((object: T) => boolean) | undefined;
  /**
   * What of an object is kept, so that the rest needs no memory: a pure function, called once for each object that
   * comes. The result must have name, namespace, uid and resourceVersion. Default: the object itself.
   */
  project?: ((object: T) => P) | undefined;
  /** Where watching is forbidden: the ms until the next list. Default: as after other errors. */
  pollMs?: (() => number) | undefined;
  clock: Clock;
  random?: (() => number) | undefined;
  logger: Logger;
  health?: ReflectorHealth | undefined;
}

const listTimeoutMs = 60_000;
/** Watches end by themselves after 5 to 10 minutes, so that the load of many evens out over API servers. */
const minWatchSeconds = 300;
/** The API server sends a bookmark about every minute: more silence than this is a connection that has died. */
const silenceMs = 90_000;
/** A watch that lived this long shows that the API server is well: the next failure starts a new backoff. */
const healthyMs = 30_000;
/** A watch that ends in less, without an event, was not a watch. */
const shortestWatchMs = 1_000;

/**
 * Keeps a sink equal to what the API server has, by list and watch as client-go does it: WatchList first, a paged list
 * where that is refused; watches resume at the last resourceVersion; when that is no longer kept (410) the whole is
 * listed again. Only the signal ends it.
 */
export class Reflector<T extends KubeObject, P extends KubeObject = T> {
  readonly #options: ReflectorOptions<T, P>;
  readonly #sink: ReflectorSink<P>;
  readonly #project: (object: T) => P;
  readonly #random: () => number;
  readonly #backoff: ReconnectBackoff;
  readonly #slice: Slice;
  readonly #name: string;
  /** Where to go on watching; undefined: list first. */
  #resourceVersion: string | undefined;
  /** False once the API server refused a watch with initial events. */
  #watchList = true;
  /** The last watch was forbidden: until one is allowed, each attempt lists first, so that the view isn't left behind. */
  #polls = false;
  /** That it is forbidden was logged. */
  #toldForbidden = false;
  /** Listed, and nothing heard since: a 410 now would come again after another list. */
  #justListed = false;

  constructor(options: ReflectorOptions<T, P>, sink: ReflectorSink<P>) {
    this.#options = options;
    this.#sink = sink;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without a projection P is T
    this.#project = options.project ?? ((object) => object as unknown as P);
    this.#random = options.random ?? Math.random;
    this.#backoff = new ReconnectBackoff(this.#random);
    this.#slice = new Slice(options.clock);
    this.#name = resourceName(options.resource);
  }

  /** Resolves when the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined && (this.#polls || !this.#watchList))
          await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, form, namespace, labelSelector, fieldSelector } = this.#options;
    const objects = new Map<string, P>();
    const options = { namespace, labelSelector, fieldSelector, signal, timeoutMs: listTimeoutMs };
    let resourceVersion = '';
    for await (const page of client.list<T>(resource, form, options)) {
      for (const object of page.items) {
        if (this.#keeps(object)) objects.set(objectKey(object.metadata), this.#project(object));
        if (this.#slice.isOver) await this.#slice.maybeYield();
      }
      resourceVersion = page.resourceVersion;
    }
    await this.#replace(objects, resourceVersion);
  }

  /** Watches until the API server ends the watch in good order; the first list comes with it where there is none. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, form, namespace, labelSelector, fieldSelector, clock, health } = this.#options;
    const silence = new SilenceTimer(clock, silenceMs, signal, () => {
      return new TransportError('KUBE_TIMEOUT', `nothing heard of the watch for ${silenceMs / 1000} s`);
    });
    const startedAt = clock.monotonic();
    let initial = this.#resourceVersion === undefined ? new Map<string, P>() : undefined;
    let heard = false;
    let connected = false;
    const connect = (): void => {
      this.#polls = false;
      if (connected || initial) return;
      connected = true;
      health?.connected();
    };
    try {
      const events = client.watch<T>(resource, form, {
        namespace,
        labelSelector,
        fieldSelector,
        signal: silence.signal,
        resourceVersion: this.#resourceVersion,
        sendInitialEvents: initial !== undefined,
        timeoutSeconds: minWatchSeconds + Math.floor(this.#random() * (minWatchSeconds + 1)),
        onOpen: connect,
      });
      for await (const event of events) {
        signal.throwIfAborted(); // what had arrived before is no longer of interest
        silence.heard();
        heard = true;
        if (!initial) {
          connect();
          this.#apply(event);
        } else if (event.type === 'BOOKMARK' && event.initialEventsEnd) {
          await this.#replace(initial, event.resourceVersion);
          initial = undefined;
          connected = true;
          silence.heard();
        } else if (event.type !== 'BOOKMARK') {
          this.#collect(initial, event);
        }
        if (this.#slice.isOver) await this.#slice.maybeYield();
      }
    } catch (error) {
      if (initial && !signal.aborted && refusesWatchList(error)) {
        this.#watchList = false;
        return;
      }
      if (isForbidden(error)) {
        this.#toldForbidden = this.#polls;
        this.#polls = true;
        this.#resourceVersion = undefined;
      }
      throw error;
    } finally {
      silence.stop();
      if (connected && clock.monotonic() - startedAt >= healthyMs) this.#backoff.reset();
    }
    signal.throwIfAborted();
    if (initial) {
      // An API server that ignores what it doesn't know; one that had begun was only interrupted.
      if (initial.size === 0) this.#watchList = false;
      throw new TransportError('KUBE_RESPONSE', 'the watch ended before the list that it begins with');
    }
    if (!heard && clock.monotonic() - startedAt < shortestWatchMs) {
      throw new TransportError('KUBE_RESPONSE', 'the watch ended at once');
    }
  }

  #collect(initial: Map<string, P>, { type, object }: Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>): void {
    const key = objectKey(object.metadata);
    if (type !== 'DELETED' && this.#keeps(object)) initial.set(key, this.#project(object));
    else initial.delete(key);
  }

  #apply(event: WatchEvent<T>): void {
    const { resourceVersion } = event.type === 'BOOKMARK' ? event : event.object.metadata;
    if (event.type !== 'BOOKMARK') {
      const { type, object } = event;
      const key = objectKey(object.metadata);
      if (type === 'DELETED') this.#sink.remove(key, this.#project(object));
      else if (this.#keeps(object)) this.#sink.upsert(key, this.#project(object));
      else this.#sink.remove(key, undefined);
    }
    if (resourceVersion) this.#resourceVersion = resourceVersion;
    this.#justListed = false;
    this.#options.health?.progress();
  }

  async #replace(objects: Map<string, P>, resourceVersion: string): Promise<void> {
    await this.#sink.replace(objects);
    this.#resourceVersion = resourceVersion;
    this.#justListed = true;
    this.#options.health?.connected();
  }

  #keeps(object: T): boolean {
    return this.#options.keep?.(object) ?? true;
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, logger, health } = this.#options;
    health?.disconnected(error);
    const relist = isGone(error);
    const atOnce = relist && this.#resourceVersion !== undefined && !this.#justListed;
    if (relist) this.#resourceVersion = undefined;
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    const { pollMs } = this.#options;
    const backoffMs = atOnce ? 0 : this.#backoff.next(retryAfterMs);
    const delayMs = this.#polls && pollMs && isForbidden(error) ? pollMs() : backoffMs;
    const expected = error instanceof ApiError || error instanceof TransportError;
    const what = expected ? { reason: messageOf(error) } : { err: error };
    const fields = { ...what, resource: this.#name, retryInMs: Math.round(delayMs) };
    if (relist) logger.info(fields, 'watch expired, listing again');
    else if (this.#polls && this.#toldForbidden && isForbidden(error))
      logger.debug(fields, 'list or watch failed');
    else logger.warn(fields, 'list or watch failed');
    if (!atOnce) await clock.sleep(delayMs, signal).catch(() => {}); // aborted: the loop ends
  }
}

/** 422: not served by this version or configuration; 400: by a server that knows even less. */
const refusesWatchList = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 400 || error.status === 422);
