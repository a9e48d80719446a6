import type { WatchEvent, WatchOptions } from '../kube/api-client.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import { labelSelector } from './label-selector.ts';
import type { Change, MemoryObjects } from './memory-objects.ts';

/** How often the API server sends a bookmark. */
const bookmarkMs = 60_000;

interface Watcher {
  wake: () => void;
  bookmarks: number;
  error: Error | undefined;
}

/** Watches over the history of objects in memory. */
export class MemoryWatches {
  /** Names of resources whose watches deliver nothing now. */
  readonly held = new Set<string>();
  readonly #clock: Clock;
  readonly #objects: MemoryObjects;
  readonly #watchers = new Set<Watcher>();

  constructor(clock: Clock, objects: MemoryObjects) {
    this.#clock = clock;
    this.#objects = objects;
  }

  wake(): void {
    for (const watcher of this.#watchers) watcher.wake();
  }

  /** Every watch throws the error; what it has not delivered yet is lost to it. */
  end(error: Error): void {
    for (const watcher of this.#watchers) watcher.error = error;
    this.wake();
  }

  bookmark(): void {
    for (const watcher of this.#watchers) watcher.bookmarks += 1;
    this.wake();
  }

  async *open(resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent<KubeObject>> {
    const { signal, namespace, sendInitialEvents, onOpen } = options;
    const name = resourceName(resource);
    const matches = labelSelector(options.labelSelector);
    const selected = (object: KubeObject): boolean =>
      (namespace === undefined || object.metadata.namespace === namespace) && matches(object.metadata.labels);
    let version = Number(options.resourceVersion ?? this.#objects.version);
    const watcher: Watcher = { wake: () => undefined, bookmarks: 0, error: undefined };
    const onAbort = (): void => watcher.wake();
    let cancelBookmark = (): void => undefined;
    const bookmarkLater = (): void => {
      cancelBookmark = this.#clock.after(bookmarkMs, () => {
        watcher.bookmarks += 1;
        watcher.wake();
        bookmarkLater();
      });
    };
    bookmarkLater();
    this.#watchers.add(watcher);
    signal.addEventListener('abort', onAbort);
    try {
      onOpen?.();
      if (sendInitialEvents) {
        for (const object of this.#objects.list(resource).filter(selected)) yield { type: 'ADDED', object };
        yield { type: 'BOOKMARK', resourceVersion: String(version), initialEventsEnd: true };
      }
      for (;;) {
        signal.throwIfAborted();
        if (watcher.error) throw watcher.error;
        const change = this.held.has(name) ? undefined : this.#next(name, version);
        if (change) {
          version = change.version;
          const event = eventOf(change, selected);
          if (event) yield event;
        } else if (watcher.bookmarks > 0 && !this.held.has(name)) {
          watcher.bookmarks -= 1;
          yield { type: 'BOOKMARK', resourceVersion: String(version), initialEventsEnd: false };
        } else {
          await new Promise<void>((resolve) => {
            watcher.wake = resolve;
          });
        }
      }
    } finally {
      cancelBookmark();
      signal.removeEventListener('abort', onAbort);
      this.#watchers.delete(watcher);
    }
  }

  #next(resource: string, version: number): Change | undefined {
    const { history } = this.#objects;
    let low = 0;
    for (let high = history.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((history[middle]?.version ?? 0) > version) high = middle;
      else low = middle + 1;
    }
    for (; low < history.length; low += 1) if (history[low]?.resource === resource) return history[low];
    return undefined;
  }
}

/** An object that stops matching is deleted to the watch: with its old labels and the new resourceVersion. */
function eventOf(
  { before, now, version }: Change,
  selected: (object: KubeObject) => boolean,
): WatchEvent<KubeObject> | undefined {
  const was = before !== undefined && selected(before);
  if (now && selected(now)) return { type: was ? 'MODIFIED' : 'ADDED', object: now };
  if (!was) return undefined;
  return {
    type: 'DELETED',
    object: { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } },
  };
}
