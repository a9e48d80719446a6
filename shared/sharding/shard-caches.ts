import type { ApiClient } from '../kube/api-client.ts';
import { ApiError, messageOf } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import { formOf } from '../kube/only-metadata.ts';
import { ReconnectBackoff } from '../kube/reconnect-backoff.ts';
import { syncInTime } from '../kube/sync-timeout.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface ShardCache {
  resource: Resource;
  informer: Informer<KubeObject>;
}

export interface ShardCachesOptions {
  client: Pick<ApiClient, 'list' | 'listPage' | 'watch'>;
  clock: Clock;
  logger: Logger;
  random?: (() => number) | undefined;
  syncTimeoutMs?: number | undefined;
  /** Asked when the caches begin to run: the shard's name may be known only then. */
  labelSelector(): string;
}

/** The caches of a shard's own objects, one for each resource. */
export class ShardCaches {
  readonly #options: ShardCachesOptions;
  readonly #caches = new Map<string, ShardCache>();

  constructor(options: ShardCachesOptions) {
    this.#options = options;
  }

  /** Throws when the resource was added in another form. */
  add(resource: Resource): ShardCache {
    const name = resourceName(resource);
    const form = formOf(resource);
    const known = this.#caches.get(name);
    if (known !== undefined && known.informer.form !== form)
      throw new Error(`${name}: one controller caches whole objects, another one their metadata alone`);
    if (known) return known;
    const { labelSelector, logger, ...options } = this.#options;
    const informer = new Informer<KubeObject>({
      ...options,
      resource,
      form,
      logger: logger.child({ informer: name }),
      get labelSelector() {
        return labelSelector();
      },
    });
    const cache = { resource, informer };
    this.#caches.set(name, cache);
    return cache;
  }

  get(resource: Resource): Informer<KubeObject> | undefined {
    return this.#caches.get(resourceName(resource))?.informer;
  }

  all(): ShardCache[] {
    return [...this.#caches.values()];
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.all().map(({ informer }) => informer.run(signal)));
  }

  /**
   * Before the name is claimed: whoever can't read a resource would hold objects, and never work on them. Throws
   * SyncTimeoutError; rejects with the signal's reason when it is aborted first.
   */
  async waitUntilReadable(signal: AbortSignal): Promise<void> {
    const unread = new Set(this.#caches.keys());
    const read = async ({ resource }: ShardCache, stop: AbortSignal): Promise<void> => {
      await this.#readOnce(resource, stop);
      unread.delete(resourceName(resource));
    };
    await this.#inTime(
      signal,
      (stop) => Promise.all(this.all().map((cache) => read(cache, stop))),
      () => [...unread],
    );
  }

  /** Throws SyncTimeoutError; rejects with the signal's reason when it is aborted first. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    await this.#inTime(
      signal,
      (stop) => Promise.all(this.all().map(({ informer }) => informer.waitForSync(stop))),
      () =>
        this.all().flatMap(({ resource, informer }) => (informer.hasSynced ? [] : resourceName(resource))),
    );
  }

  async #inTime(
    signal: AbortSignal,
    wait: (signal: AbortSignal) => Promise<unknown>,
    unsynced: () => string[],
  ): Promise<void> {
    const { clock, syncTimeoutMs: timeoutMs } = this.#options;
    await syncInTime({ clock, timeoutMs, wait, unsynced }, signal);
  }

  async #readOnce(resource: Resource, signal: AbortSignal): Promise<void> {
    const { client, clock, logger, random = Math.random } = this.#options;
    const backoff = new ReconnectBackoff(random);
    for (;;) {
      try {
        await client.listPage(resource, 'metadata', { limit: 1, signal });
        return;
      } catch (error) {
        signal.throwIfAborted();
        const retryInMs = Math.round(
          backoff.next(error instanceof ApiError ? error.retryAfterMs : undefined),
        );
        const reason = messageOf(error);
        logger.warn(
          { reason, resource: resourceName(resource), retryInMs },
          'not read yet: no name is claimed',
        );
        await clock.sleep(retryInMs, signal);
      }
    }
  }
}
