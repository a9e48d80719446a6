import type { ApiClient } from '../kube/api-client.ts';
import { Informer } from '../kube/informer.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface ShardCache {
  resource: Resource;
  informer: Informer<KubeObject>;
}

export interface ShardCachesOptions {
  client: Pick<ApiClient, 'list' | 'watch'>;
  clock: Clock;
  logger: Logger;
  random?: (() => number) | undefined;
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

  add(resource: Resource): ShardCache {
    const name = resourceName(resource);
    const known = this.#caches.get(name);
    if (known) return known;
    const { labelSelector, logger, ...options } = this.#options;
    const informer = new Informer<KubeObject>({
      ...options,
      resource,
      form: 'full',
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

  /** Rejects with the signal's reason when it is aborted first. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.all().map(({ informer }) => informer.waitForSync(signal)));
  }
}
