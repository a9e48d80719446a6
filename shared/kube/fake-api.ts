import type { ApiClient, Form, ListOptions, ListPage, WatchEvent, WatchOptions } from './api-client.ts';
import { ApiError } from './errors.ts';
import { type KubeObject, type Labels, objectKey, type Resource } from './types.ts';

interface Change {
  version: number;
  key: string;
  before: KubeObject | undefined;
  now: KubeObject | undefined;
}

interface Watcher {
  wake: () => void;
  ended: boolean;
  error: Error | undefined;
}

export interface FakeCall {
  verb: 'list' | 'watch';
  resourceVersion: string | undefined;
  sendInitialEvents: boolean;
}

/** For tests: one resource with its history, listed and watched as the API server does it. */
export class FakeApi implements Pick<ApiClient, 'list' | 'watch'> {
  readonly calls: FakeCall[] = [];
  /** Thrown by each call while set. */
  down: Error | undefined;
  refusesWatchList = false;
  pageSize = 2;
  readonly #objects = new Map<string, KubeObject>();
  readonly #history: Change[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 100;
  #compacted = 0;
  #uids = 0;

  /** Creates or changes. */
  put(name: string, labels: Labels = {}): void {
    const before = this.#objects.get(name);
    const uid = before?.metadata.uid ?? `uid-${(this.#uids += 1)}`;
    this.#write(name, { metadata: { name, uid, labels } });
  }

  remove(name: string): void {
    if (this.#objects.has(name)) this.#write(name, undefined);
  }

  /** Forgets the history: a watch can no longer begin before now. */
  compact(): void {
    this.#compacted = this.#version;
  }

  /** Ends all watches, what they have not delivered yet included: in good order, or with an error. */
  endWatches(error?: Error): void {
    for (const watcher of this.#watchers) {
      watcher.ended = true;
      watcher.error = error;
      watcher.wake();
    }
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  get version(): string {
    return String(this.#version);
  }

  select(labelSelector?: string): KubeObject[] {
    return [...this.#objects.values()].filter((object) => matches(object, labelSelector));
  }

  async *list<T extends KubeObject>(
    _resource: Resource,
    _form: Form,
    options: ListOptions = {},
  ): AsyncGenerator<ListPage<T>> {
    this.#call('list', undefined, false);
    const objects = this.select(options.labelSelector);
    const resourceVersion = this.version;
    do {
      const items: T[] = JSON.parse(JSON.stringify(objects.splice(0, this.pageSize)));
      yield { items, resourceVersion, continue: objects.length > 0 ? 'more' : undefined };
    } while (objects.length > 0);
  }

  async *watch<T extends KubeObject>(
    _resource: Resource,
    _form: Form,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const { signal, labelSelector, resourceVersion, sendInitialEvents = false, onOpen } = options;
    this.#call('watch', resourceVersion, sendInitialEvents);
    if (sendInitialEvents && this.refusesWatchList) throw new ApiError(422, 'Invalid', 'no watch lists here');
    let version = Number(resourceVersion ?? this.#version);
    if (version < this.#compacted) throw new ApiError(410, 'Expired', 'too old resource version');
    onOpen?.();
    const watcher: Watcher = { wake: () => {}, ended: false, error: undefined };
    const onAbort = (): void => watcher.wake();
    this.#watchers.add(watcher);
    signal.addEventListener('abort', onAbort);
    try {
      if (sendInitialEvents) {
        for (const object of this.select(labelSelector)) yield event<T>('ADDED', object, version);
        yield { type: 'BOOKMARK', resourceVersion: String(version), initialEventsEnd: true };
      }
      for (;;) {
        signal.throwIfAborted();
        if (watcher.error) throw watcher.error;
        if (watcher.ended) return;
        for (const change of this.#history.slice()) {
          if (change.version <= version) continue;
          version = change.version;
          const next = eventOf<T>(change, labelSelector);
          if (next) yield next;
        }
        if (this.#version === version) {
          await new Promise<void>((resolve) => {
            watcher.wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#watchers.delete(watcher);
    }
  }

  #call(verb: FakeCall['verb'], resourceVersion: string | undefined, sendInitialEvents: boolean): void {
    this.calls.push({ verb, resourceVersion, sendInitialEvents });
    if (this.down) throw this.down;
  }

  #write(name: string, object: KubeObject | undefined): void {
    this.#version += 1;
    const before = this.#objects.get(name);
    const now = object && { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    if (now) this.#objects.set(objectKey(now.metadata), now);
    else this.#objects.delete(name);
    this.#history.push({ version: this.#version, key: name, before, now });
    for (const watcher of this.#watchers) watcher.wake();
  }
}

function eventOf<T>({ before, now, version }: Change, labelSelector?: string): WatchEvent<T> | undefined {
  const was = before && matches(before, labelSelector) ? before : undefined;
  const is = now && matches(now, labelSelector) ? now : undefined;
  if (is) return event<T>(was ? 'MODIFIED' : 'ADDED', is, version);
  return was && event<T>('DELETED', was, version); // the old object with the new version
}

function event<T>(
  type: 'ADDED' | 'MODIFIED' | 'DELETED',
  object: KubeObject,
  version: number,
): WatchEvent<T> {
  const metadata = { ...object.metadata };
  if (type === 'DELETED') metadata.resourceVersion = String(version);
  const copy: T = JSON.parse(JSON.stringify({ ...object, metadata }));
  return { type, object: copy };
}

/** Selectors of the form `name=value`. */
function matches(object: KubeObject, labelSelector = ''): boolean {
  const [name = '', value] = labelSelector.split('=');
  return name === '' || object.metadata.labels?.[name] === value;
}
