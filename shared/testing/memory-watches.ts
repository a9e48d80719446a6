import type { WatchEvent, WatchOptions } from '../kube/api-client.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Change, ObjectStore } from './object-store.ts';
import { internalError, invalidAs, tooLargeVersion, tooOldVersion } from './status-errors.ts';
import { Watcher, type WatchInfo } from './watcher.ts';

/** So long the API server waits for a version that it doesn't have yet. */
const freshnessMs = 3_000;

type Event = WatchEvent<KubeObject>;

/** Watches over the history of a store. */
export class MemoryWatches {
  /** Watches with initial events are refused. */
  refuseWatchList = false;
  readonly #clock: Clock;
  readonly #store: ObjectStore;
  readonly #watchers = new Set<Watcher>();
  readonly #held = new Set<string>();
  readonly #delays = new Set<(watch: WatchInfo) => number>();

  constructor(clock: Clock, store: ObjectStore) {
    this.#clock = clock;
    this.#store = store;
    store.onChange(() => this.#wake());
  }

  /** The watches that are open now. */
  get open(): WatchInfo[] {
    return [...this.#watchers].map(({ info }) => info);
  }

  hold(resource: Resource): void {
    this.#held.add(resourceName(resource));
  }

  letGoOn(resource: Resource): void {
    this.#held.delete(resourceName(resource));
    this.#wake();
  }

  delay(delayMs: (watch: WatchInfo) => number): () => void {
    this.#delays.add(delayMs);
    return () => void this.#delays.delete(delayMs);
  }

  /** They end, and what they have not delivered is lost to them: with the error, or in good order. */
  end(error: Error | undefined, which: (watch: WatchInfo) => boolean): void {
    for (const watcher of this.#watchers) if (which(watcher.info)) watcher.end(error);
  }

  bookmark(): void {
    for (const watcher of this.#watchers) watcher.wantBookmark();
  }

  /** Throws ApiError before the watch is open (an answer), or after (an event of type ERROR), as the API server does. */
  async *watch(
    resource: Resource,
    options: WatchOptions,
    info: WatchInfo,
    selected: (object: KubeObject) => boolean,
  ): AsyncGenerator<Event> {
    const { signal, sendInitialEvents = false, timeoutSeconds, onOpen } = options;
    const asked = askedVersion(options.resourceVersion);
    if (sendInitialEvents && this.refuseWatchList) {
      const message =
        'Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';
      throw invalidAs('ListOptions.meta.k8s.io ""', [{ field: 'sendInitialEvents', message }]);
    }
    const watcher = new Watcher(this.#clock, info, signal, timeoutSeconds);
    this.#watchers.add(watcher);
    try {
      onOpen?.();
      let version = asked;
      if (sendInitialEvents && asked > this.#store.version) await this.#waitFor(asked, signal);
      if (sendInitialEvents || asked === 0) {
        version = this.#store.version;
        for (const object of this.#store.list(resource).filter(selected)) yield { type: 'ADDED', object };
        yield { type: 'BOOKMARK', resourceVersion: String(version), initialEventsEnd: true };
      } else if (asked < this.#store.oldest(resource)) {
        throw tooOldVersion(asked, this.#store.oldest(resource));
      }
      yield* this.#follow(resource, version, watcher, selected);
    } finally {
      watcher.close();
      this.#watchers.delete(watcher);
    }
  }

  async *#follow(
    resource: Resource,
    from: number,
    watcher: Watcher,
    selected: (object: KubeObject) => boolean,
  ): AsyncGenerator<Event> {
    let version = from;
    let deliveredAt = 0;
    for (;;) {
      watcher.throwIfEnded();
      if (watcher.ended) return;
      const found = this.#store.changesAfter(resource, version);
      if (!found && this.#store.version > version) return; // too slow: the server closes it
      const change = found?.changes[found.from];
      if (this.#held.has(watcher.info.resource)) {
        await watcher.wait();
      } else if (change) {
        deliveredAt = Math.max(deliveredAt, change.at + this.#delayOf(watcher.info));
        if (!(await watcher.until(deliveredAt))) continue;
        version = change.version;
        const event = eventOf(change, selected);
        if (event) yield event;
      } else if (watcher.takeBookmark()) {
        version = Math.max(version, this.#store.version);
        yield { type: 'BOOKMARK', resourceVersion: String(version), initialEventsEnd: false };
      } else {
        await watcher.wait();
      }
    }
  }

  #delayOf(info: WatchInfo): number {
    let delayMs = 0;
    for (const delay of this.#delays) delayMs += delay(info);
    return delayMs;
  }

  async #waitFor(version: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(freshnessMs, signal);
    if (version > this.#store.version) throw tooLargeVersion(version, this.#store.version);
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher.wake();
  }
}

/** None, '' and 0 stand for any version. */
function askedVersion(text = ''): number {
  if (/^\d*$/.test(text)) return Number(text);
  const why = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw internalError(`resourceVersion: Invalid value: ${JSON.stringify(text)}: ${why}`);
}

/** An object that stops matching is deleted to the watch: with its old labels and the new resourceVersion. */
function eventOf(
  { before, now, version }: Change,
  selected: (object: KubeObject) => boolean,
): Event | undefined {
  const was = before !== undefined && selected(before);
  if (now && selected(now)) return { type: was ? 'MODIFIED' : 'ADDED', object: now };
  if (!was) return undefined;
  const metadata = { ...before.metadata, resourceVersion: String(version) };
  return { type: 'DELETED', object: { ...before, metadata } };
}
