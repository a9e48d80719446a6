import { isDeepStrictEqual } from 'node:util';
import { Controller } from '@controller-sharding/shared/controller/controller.ts';
import type { Outcome } from '@controller-sharding/shared/controller/outcome.ts';
import type { ApiClient, RestMapper } from '@controller-sharding/shared/kube/api-client.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { controllerRings } from '@controller-sharding/shared/kube/resources.ts';
import { resourceName } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import {
  type ControllerRing,
  matchesSelector,
  ringNamespaceSelector,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { formerResources, namedResources } from './labelled-resources.ts';
import { NamespaceView } from './namespace-view.ts';
import { resolveScope } from './resolve-scope.ts';
import type { ResourceAccess } from './resource-access.ts';
import type { RingScope } from './ring-scope.ts';

export interface KnownRing {
  ring: ControllerRing;
  /** A new one whenever the ring selects something else than before. */
  scope: RingScope;
}

/** `expire`: what it knows may be wrong. */
interface ExpiringMapper extends RestMapper {
  expire?(): void;
}

export interface RingsOptions {
  client: ApiClient;
  mapper: ExpiringMapper;
  access: Pick<ResourceAccess, 'canList' | 'missing' | 'onChange'>;
  clock: Clock;
  logger: Logger;
}

/** How soon a resource that the API server doesn't serve, or that can't be listed, is looked for again. */
const missingRetryMs = 10_000;
/** What is served is looked at so often: a definition may have been replaced by another, without an error. */
const lookAgainMs = 300_000;

/** The rings there are, each with what it selects. Every sharder replica keeps this, leader or not. */
export class Rings {
  readonly #options: RingsOptions;
  readonly #informer: Informer<ControllerRing>;
  readonly #namespaces: NamespaceView;
  readonly #controller: Controller<string>;
  readonly #known = new Map<string, KnownRing>();
  readonly #resolvedGeneration = new Map<string, string>();
  /** When (monotonic ms) each was resolved; none: it has to be. */
  readonly #resolvedAt = new Map<string, number>();
  /** Grows whenever something may be served or allowed, or not any more. */
  #accessChanges = 0;
  readonly #listeners = new Set<(ring: string) => void>();

  constructor(options: RingsOptions) {
    const { access, client, clock, logger, mapper } = options;
    this.#options = options;
    this.#informer = new Informer<ControllerRing>({
      client,
      clock,
      logger,
      resource: controllerRings,
      form: 'full',
    });
    this.#namespaces = new NamespaceView({ client, clock, logger });
    this.#controller = new Controller({
      name: 'ring-scopes',
      reconcile: (key) => this.#resolve(key),
      clock,
      logger,
    });
    const enqueue = ({ metadata }: ControllerRing): void => this.#controller.enqueue(metadata.name);
    this.#informer.addHandler({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue });
    this.#namespaces.onRelabelled((old, now) => {
      for (const ring of this.#informer.store.values()) {
        const selector = ringNamespaceSelector(ring);
        if (matchesSelector(selector, old) === matchesSelector(selector, now)) continue;
        this.#resolvedGeneration.delete(ring.metadata.name);
        enqueue(ring);
      }
    });
    access.onChange((resource) => {
      mapper.expire?.();
      this.#accessChanges += 1;
      for (const ring of this.#informer.store.values()) {
        if (!namedResources(ring).some((named) => resourceName(named) === resourceName(resource))) continue;
        this.#resolvedAt.delete(ring.metadata.name);
        enqueue(ring);
      }
    });
  }

  get(name: string): KnownRing | undefined {
    return this.#known.get(name);
  }

  all(): KnownRing[] {
    return [...this.#known.values()];
  }

  /** Whether there is a ring of that name, be it usable or not. */
  exists(name: string): boolean {
    return this.#informer.store.get(name) !== undefined;
  }

  /** Calls back when a ring came, went or changed; also for one that is already known. */
  onChange(listener: (ring: string) => void): () => void {
    this.#listeners.add(listener);
    for (const name of this.#known.keys()) listener(name);
    return () => this.#listeners.delete(listener);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#informer.waitForSync(signal), this.#namespaces.waitForSync(signal)]);
  }

  async run(signal: AbortSignal): Promise<void> {
    const watching = [this.#informer.run(signal), this.#namespaces.run(signal)];
    await this.#namespaces.waitForSync(signal).catch(() => undefined);
    await Promise.all([...watching, this.#controller.run(signal)]);
  }

  async #resolve(name: string): Promise<Outcome> {
    const ring = this.#informer.store.get(name);
    if (ring === undefined) {
      this.#known.delete(name);
      this.#resolvedGeneration.delete(name);
      this.#resolvedAt.delete(name);
      this.#tell(name);
      return { kind: 'done' };
    }
    const former = JSON.stringify(formerResources(ring));
    const generation = `${ring.metadata.uid}/${ring.metadata.generation}/${former}`;
    const known = this.#known.get(name);
    const isSameSpec = this.#resolvedGeneration.get(name) === generation;
    const { access, clock, mapper } = this.#options;
    const now = clock.monotonic();
    if (known !== undefined && isSameSpec && now < (this.#resolvedAt.get(name) ?? -Infinity) + lookAgainMs) {
      this.#known.set(name, { ring, scope: known.scope });
      this.#tell(name);
      return { kind: 'done' };
    }
    const changes = this.#accessChanges;
    const scope = await resolveScope(ring, mapper, this.#namespaces, access);
    const isSame = known !== undefined && isSameSpec && sameResources(known.scope, scope);
    this.#known.set(name, { ring, scope: isSame ? known.scope : scope });
    this.#resolvedGeneration.set(name, generation);
    const unlisted = access.missing(namedResources(ring)).some(({ verb }) => verb === 'list');
    const isWhole = scope.missing.length === 0 && !unlisted;
    if (isWhole && changes === this.#accessChanges) this.#resolvedAt.set(name, now);
    else this.#resolvedAt.delete(name);
    this.#tell(name);
    return { kind: 'later', afterMs: isWhole ? lookAgainMs : missingRetryMs };
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

const sameResources = (a: RingScope, b: RingScope): boolean =>
  isDeepStrictEqual([a.mains, a.former, a.missing], [b.mains, b.former, b.missing]);
