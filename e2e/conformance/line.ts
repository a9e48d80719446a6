import type {
  ApiClient,
  Form,
  ListOptions,
  ListPage,
  WatchEvent,
  WatchOptions,
} from '@controller-sharding/shared/kube/api-client.ts';
import { ApiError, TransportError } from '@controller-sharding/shared/kube/errors.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { isOfScenario } from './recording-client.ts';
import { ancientVersion } from './world.ts';

/** A reflector that asked more often would do so without end, and keep the test from ending. */
const maxAttempts = 100;
const cutError = (): Error => new TransportError('KUBE_CONNECTION', 'cut by the scenario');

/** An informer's way to its API server, on which a scenario can interfere; the same for every API server. */
export class Line implements Pick<ApiClient, 'list' | 'watch'> {
  /** What was let through: `watch list`, `list`, `watch`, `watch from any version`. */
  readonly calls: string[] = [];
  /** False: as an API server without WatchList. */
  servesWatchList = true;
  /** The next watch goes on from a version that is no longer kept. */
  forgetful = false;
  readonly #client: ApiClient;
  readonly #pageSize: number;
  #cut = new AbortController();
  #open = 0;
  #attempts = 0;

  constructor(client: ApiClient, pageSize: number) {
    this.#client = client;
    this.#pageSize = pageSize;
  }

  /** Watches that have been accepted and go on. */
  get open(): number {
    return this.#open;
  }

  /** Watches end with an error, and nothing is let through until it is mended. */
  cut(): void {
    this.#cut.abort(cutError());
  }

  mend(): void {
    this.#cut = new AbortController();
  }

  async *list<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: ListOptions = {},
  ): AsyncGenerator<ListPage<T>> {
    await this.#pass(options.signal);
    this.calls.push('list');
    for await (const page of this.#client.list<T>(resource, form, { ...options, limit: this.#pageSize })) {
      yield { ...page, items: page.items.filter(isOfScenario) };
    }
  }

  async *watch<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    await this.#pass(options.signal);
    const { signal: cut } = this.#cut;
    const { sendInitialEvents = false, onOpen } = options;
    if (sendInitialEvents && !this.servesWatchList) throw new ApiError(422, 'Invalid', 'no watch lists here');
    const from = options.resourceVersion ? 'watch' : 'watch from any version';
    this.calls.push(sendInitialEvents ? 'watch list' : from);
    const aged = this.forgetful && !sendInitialEvents;
    if (aged) this.forgetful = false;
    let opened = false;
    const events = this.#client.watch<T>(resource, form, {
      ...options,
      ...(aged && { resourceVersion: ancientVersion }),
      signal: AbortSignal.any([options.signal, cut]),
      onOpen: () => {
        opened = true;
        this.#open += 1;
        onOpen?.();
      },
    });
    try {
      for await (const event of events) {
        cut.throwIfAborted();
        if (event.type === 'BOOKMARK' || isOfScenario(event.object)) yield event;
      }
      cut.throwIfAborted();
    } finally {
      if (opened) this.#open -= 1;
    }
  }

  async #pass(signal: AbortSignal | undefined): Promise<void> {
    this.#attempts += 1;
    if (this.#attempts > maxAttempts)
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    signal?.throwIfAborted();
    this.#cut.signal.throwIfAborted();
  }
}
