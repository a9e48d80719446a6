import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { type GroupResource, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import { accessClient } from './access-client.ts';
import { isMissingRight, type MissingRight, rulesFor, type Verb } from './missing-rights.ts';

interface Refusal extends MissingRight {
  /** Undefined: cluster-wide. */
  namespace: string | undefined;
  /** Monotonic ms. */
  at: number;
}

/** What isn't asked for any more (the object may be gone) isn't known to be missing. */
const forgottenMs = 3_600_000;
/** Where there is another way, it is tried again so often whether the right has come. */
const againMs = 60_000;

/**
 * What the API server lets this process do with resources, by its answers to what is asked through `client`: rights that
 * are missing, and resources that it doesn't serve any more.
 */
export class ResourceAccess {
  /** As the client given, but reads by a list what it may not get. */
  readonly client: ApiClient;
  readonly #unobserved: ApiClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refused = new Map<string, Refusal>();
  readonly #listeners = new Set<(resource: GroupResource) => void>();

  constructor({ client, clock, logger }: { client: ApiClient; clock: Clock; logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
    this.#unobserved = client;
    this.client = accessClient(client, this);
  }

  /** Calls back when a right was found to be missing, or not to be any more, and when a resource is not served. */
  onChange(listener: (resource: GroupResource) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The rights to these resources that are missing. */
  missing(resources: readonly GroupResource[]): MissingRight[] {
    const now = this.#clock.monotonic();
    for (const [key, { at }] of this.#refused) if (now - at > forgottenMs) this.#refused.delete(key);
    const names = new Set(resources.map(resourceName));
    return [...this.#refused.values()]
      .filter((right) => names.has(resourceName(right)))
      .map(({ group, resource, verb }) => ({ group, resource, verb }));
  }

  /** Whether objects of the resource can be listed. Asks if that was refused before. */
  async canList(resource: Resource): Promise<boolean> {
    const refused = (): boolean => this.#refused.has(keyOf(resource, 'list'));
    if (!refused()) return true;
    try {
      await this.#unobserved.listPage(resource, 'metadata', { limit: 1, timeoutMs: sharderRequestMs });
      this.answered(resource, 'list', undefined);
    } catch (error) {
      if (isMissingRight(error)) this.failed(resource, 'list', undefined, error);
    }
    return !refused();
  }

  /** Whether to try another way at once: it was refused lately. */
  wasRefused(resource: Resource, verb: Verb): boolean {
    const refusal = this.#refused.get(keyOf(resource, verb));
    return refusal !== undefined && this.#clock.monotonic() - refusal.at < againMs;
  }

  answered(resource: Resource, verb: Verb, namespace: string | undefined): void {
    const key = keyOf(resource, verb);
    const refusal = this.#refused.get(key);
    // Rights in one namespace say nothing about another.
    if (refusal === undefined || (namespace !== undefined && refusal.namespace !== namespace)) return;
    this.#refused.delete(key);
    this.#logger.info({ resource: resourceName(resource), verb }, 'a right is no longer missing');
    this.#tell(resource);
  }

  failed(resource: Resource, verb: Verb, namespace: string | undefined, error: unknown): void {
    if (isNotFound(error) && (verb === 'list' || verb === 'watch')) this.#tell(resource);
    if (!isMissingRight(error)) return;
    const key = keyOf(resource, verb);
    const isNew = !this.#refused.has(key);
    const { group, resource: name } = resource;
    const right = { group, resource: name, verb };
    this.#refused.set(key, { ...right, namespace, at: this.#clock.monotonic() });
    if (!isNew) return;
    const fields = { resource: resourceName(resource), verb, rule: rulesFor([right]) };
    this.#logger.warn(fields, 'a right is missing');
    this.#tell(resource);
  }

  #tell(resource: GroupResource): void {
    for (const listener of this.#listeners) listener(resource);
  }
}

const keyOf = (resource: GroupResource, verb: Verb): string => `${verb} ${resourceName(resource)}`;
