import type {
  ApiClient,
  Form,
  WatchEvent,
  WatchOptions,
} from '@controller-sharding/shared/kube/api-client.ts';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { isOfScenario } from './recording-client.ts';
import { CollectionVersion, type Entry, type Refusal, refusalOf } from './transcript.ts';
import type { World } from './world.ts';

export type WatchedOptions = Partial<Omit<WatchOptions, 'signal' | 'onOpen'>> & {
  form?: Form;
  /** Also the first bookmark, beside the one that ends the initial events; how many come is the server's own matter. */
  firstBookmark?: boolean;
};

/** A watch of one namespace whose events are collected as they come. */
export class RecordedWatch {
  readonly #world: World;
  readonly #did: string;
  readonly #events: Array<WatchEvent<KubeObject>> = [];
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;
  /** How many more are to be taken. */
  #bookmarks: number;
  #end: 'closed' | 'open' | Refusal = 'open';

  constructor(world: World, resource: Resource, namespace: string, options: WatchedOptions) {
    const { form = 'full', firstBookmark = false, ...rest } = options;
    const { resourceVersion, ...shown } = options;
    this.#world = world;
    this.#bookmarks = firstBookmark ? 1 : 0;
    this.#did = `watch ${resource.resource} ${JSON.stringify({ ...shown, ...(resourceVersion && { from: true }) })}`;
    const events = world.client.watch<KubeObject>(resource, form, {
      timeoutSeconds: 300,
      ...(resource.namespaced && { namespace }),
      ...rest,
      signal: this.#controller.signal,
    });
    this.#done = this.#collect(events);
  }

  get count(): number {
    return this.#events.length;
  }

  /** Waits until that many events have come. */
  async take(count: number): Promise<void> {
    const enough = (): boolean => this.#events.length >= count || this.#end !== 'open';
    await this.#world.until(`${count} events of: ${this.#did}`, enough);
  }

  /** Waits until the initial events have ended. */
  async listed(): Promise<void> {
    const listed = (): boolean =>
      this.#end !== 'open' || this.#events.some(({ type }) => type === 'BOOKMARK');
    await this.#world.until(`the initial events of: ${this.#did}`, listed);
  }

  /** Waits until an event of this object has come. */
  async takeUntil(name: string): Promise<void> {
    const came = (): boolean =>
      this.#end !== 'open' ||
      this.#events.some((event) => event.type !== 'BOOKMARK' && event.object.metadata.name === name);
    await this.#world.until(`${name} in: ${this.#did}`, came);
  }

  /** Waits until the server has ended it. */
  async ended(): Promise<void> {
    await this.#world.until(`the end of: ${this.#did}`, () => this.#end !== 'open');
  }

  /** Ends it, and returns what it saw. */
  async close(): Promise<Entry> {
    this.#controller.abort();
    await this.#done;
    const events = this.#events.map((event) =>
      event.type === 'BOOKMARK'
        ? { BOOKMARK: new CollectionVersion(event.resourceVersion), initialEventsEnd: event.initialEventsEnd }
        : { [event.type]: event.object },
    );
    const entry: Entry = {
      did: this.#did,
      saw: { events, end: typeof this.#end === 'string' ? this.#end : '' },
    };
    if (typeof this.#end === 'object') entry.refused = this.#end;
    return entry;
  }

  #isTold(event: WatchEvent<KubeObject>): boolean {
    if (event.type !== 'BOOKMARK') return isOfScenario(event.object);
    if (event.initialEventsEnd) return true;
    this.#bookmarks -= 1;
    return this.#bookmarks >= 0;
  }

  async #collect(events: ReturnType<ApiClient['watch']>): Promise<void> {
    try {
      for await (const event of events) {
        if (this.#isTold(event)) this.#events.push(structuredClone(event));
      }
      this.#end = 'closed';
    } catch (error) {
      if (error instanceof ApiError) this.#end = refusalOf(error);
      else if (!this.#controller.signal.aborted) this.#end = { status: 0, reason: String(error) };
    }
  }
}
