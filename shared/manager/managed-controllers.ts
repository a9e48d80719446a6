import { AppliedObjects } from '../author/applied-objects.ts';
import { plainWriter } from '../author/plain-writer.ts';
import { reconcileClient } from '../author/reconcile-client.ts';
import type { Controller, ControllerOptions } from '../controller/controller.ts';
import { type ControllerDefinition, type Request, sourceOf } from '../controller/definition.ts';
import { enqueueMapped, enqueueObject } from '../controller/enqueue.ts';
import { filtered, type Source } from '../controller/predicate.ts';
import type { ApiClient } from '../kube/api-client.ts';
import type { Informer } from '../kube/informer.ts';
import { CachedForms, formOf } from '../kube/only-metadata.ts';
import type { SharedInformers } from '../kube/shared-informers.ts';
import {
  type KubeObject,
  objectKey,
  type Resource,
  resourceName,
  type TypedResource,
} from '../kube/types.ts';
import { ControlledObjects } from '../sharding/controlled-objects.ts';
import type { OwnerWriter } from '../sharding/fenced-writer.ts';
import { Shard } from '../sharding/shard.ts';
import type { ShardController, ShardOptions } from '../sharding/shard-options.ts';
import { type Cache, type CacheOptions, LateCache } from './late-cache.ts';

type Definition = ControllerDefinition<KubeObject>;

export interface ManagedControllersOptions {
  /** Not fenced. */
  client: ApiClient;
  /** For controllers that are not sharded. */
  unshardedClient: ApiClient;
  informers: SharedInformers;
  fieldManager: string;
  shard: ShardOptions | undefined;
  stopTimeoutMs: number;
  addController(options: Omit<ControllerOptions<string>, 'clock' | 'logger' | 'metrics'>): Controller<string>;
}

/** The controllers that an author has defined, brought together with their caches when the manager starts. */
export class ManagedControllers {
  readonly #options: ManagedControllersOptions;
  readonly #definitions: Definition[] = [];
  readonly #caches = new Map<string, LateCache>();
  /** As they were asked for. */
  readonly #cached: Resource[] = [];
  #applied: AppliedObjects | undefined;
  /** Of all objects, by resource. */
  readonly #whole = new Map<string, Informer<KubeObject>>();
  readonly #shardForms = new CachedForms();
  readonly #wholeForms = new CachedForms();
  #shard: Shard | undefined;

  constructor(options: ManagedControllersOptions) {
    this.#options = options;
  }

  /** Once the controllers are wired, if any is sharded. */
  get shard(): Shard | undefined {
    return this.#shard;
  }

  /** Throws RangeError when the name of the field manager is none. */
  add<T extends KubeObject>(definition: ControllerDefinition<T>): void {
    this.#appliedObjects();
    if (this.#definitions.some(({ name }) => name === definition.name))
      throw new Error(`there is a controller ${definition.name} already`);
    this.#definitions.push(definition);
  }

  cache<T extends KubeObject>(resource: TypedResource<T>, { indexes = {} }: CacheOptions<T>): Cache<T> {
    const name = resourceName(resource);
    const cache = this.#caches.get(name) ?? new LateCache(resource);
    this.#caches.set(name, cache);
    this.#cached.push(resource);
    for (const [index, values] of Object.entries(indexes)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the resource says what its objects are
      cache.addIndex(index, values as (object: KubeObject) => string[]);
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return cache as unknown as Cache<T>;
  }

  /** Once, when all have been added. */
  wire(): void {
    const { shard } = this.#options;
    const sharded = shard ? this.#definitions.filter((definition) => definition.sharded ?? true) : [];
    this.#collectForms(sharded);
    if (shard) {
      if (sharded.length === 0) throw new Error('a manager with `shard` has no controller that is sharded');
      this.#shard = new Shard(
        shard,
        sharded.map((definition) => this.#shardController(definition)),
      );
    }
    const controllers = this.#definitions.map((definition) => {
      const controller = this.#shard?.controllers[sharded.indexOf(definition)];
      return {
        definition,
        controller: controller ?? this.#unsharded(definition),
        isSharded: controller !== undefined,
      };
    });
    for (const cache of this.#caches.values()) cache.bind(this.#informer(cache.resource));
    for (const { definition, controller, isSharded } of controllers) {
      for (const { source, map } of definition.watches ?? []) {
        const informer = isSharded ? this.#informer(source.resource) : this.#wholeInformer(source.resource);
        const keys = (object: KubeObject): string[] => [...map(object)].map(objectKey);
        informer.addHandler(filtered(enqueueMapped(controller, keys), source.predicates));
      }
    }
  }

  /** Before any cache is made: in which form each one holds its objects. */
  #collectForms(sharded: Definition[]): void {
    for (const definition of sharded) {
      for (const { resource } of caresFor(definition)) this.#shardForms.add(resource);
    }
    const formsOf = (resource: Resource): CachedForms =>
      this.#shardForms.has(resource) ? this.#shardForms : this.#wholeForms;
    for (const definition of this.#definitions) {
      const isSharded = sharded.includes(definition);
      if (!isSharded) for (const { resource } of caresFor(definition)) this.#wholeForms.add(resource);
      for (const { source } of definition.watches ?? [])
        (isSharded ? formsOf(source.resource) : this.#wholeForms).add(source.resource);
    }
    for (const resource of this.#cached) formsOf(resource).add(resource);
  }

  #shardController(definition: Definition): ShardController<KubeObject> {
    const { name, concurrency, rateLimit, reconcileTimeoutMs } = definition;
    return {
      name,
      concurrency,
      rateLimit,
      reconcileTimeoutMs,
      stopTimeoutMs: this.#options.stopTimeoutMs / 2,
      for: { resource: this.#shardForms.of(definition.for), predicates: definition.predicates },
      owns: ownsOf(definition).map((source) => ({
        ...source,
        resource: this.#shardForms.of(source.resource),
      })),
      reconcile: ({ object, writer, controlled, signal }) =>
        definition.reconcile(this.#request(object, writer, controlled, signal), signal),
    };
  }

  #unsharded(definition: Definition): Controller<string> {
    const { client, unshardedClient, addController } = this.#options;
    const cacheOf = ({ resource }: Source) => ({ resource, informer: this.#wholeInformer(resource) });
    const owns = ownsOf(definition);
    const main = cacheOf({ resource: definition.for });
    const below = new ControlledObjects({ client, ring: '', mains: [main], owned: owns.map(cacheOf) });
    const { name, concurrency, rateLimit, reconcileTimeoutMs } = definition;
    const writer = plainWriter(unshardedClient);
    const controller = addController({
      name,
      concurrency,
      rateLimit,
      reconcileTimeoutMs,
      reconcile: async (key, signal) => {
        const object = main.informer.store.get(key);
        if (object === undefined) return;
        const controlled = (resource: Resource): KubeObject[] =>
          below.cachedOf(object.metadata.uid ?? '', resource);
        return definition.reconcile(this.#request(object, writer, controlled, signal), signal);
      },
    });
    main.informer.addHandler(filtered(enqueueObject(controller), definition.predicates));
    for (const source of owns) {
      const top = (object: KubeObject): string[] => {
        const key = below.mainKey(object, definition.for);
        return key === undefined ? [] : [key];
      };
      cacheOf(source).informer.addHandler(filtered(enqueueMapped(controller, top), source.predicates));
    }
    return controller;
  }

  #request(
    cached: KubeObject,
    writer: OwnerWriter,
    controlled: (resource: Resource) => KubeObject[],
    signal: AbortSignal,
  ): Request<KubeObject> {
    const applied = this.#appliedObjects();
    const object = applied.newest(cached);
    const { name, namespace } = object.metadata;
    return {
      key: objectKey(object.metadata),
      name,
      namespace,
      object,
      client: reconcileClient({
        object,
        client: this.#options.client,
        writer,
        signal,
        applied,
        cached: (resource, key) => {
          const informer = this.#shard?.informer(resource) ?? this.#whole.get(resourceName(resource));
          return informer?.form === 'full' ? informer.store.get(key) : undefined;
        },
      }),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the resource says what its objects are
      owned: <C extends KubeObject>(resource: TypedResource<C>) => controlled(resource) as C[],
    };
  }

  #appliedObjects(): AppliedObjects {
    this.#applied ??= new AppliedObjects(this.#options.fieldManager);
    return this.#applied;
  }

  /** Of the shard's objects where they are sharded, else of all. */
  #informer(resource: Resource): Informer<KubeObject> {
    return this.#shard?.informer(resource) ?? this.#wholeInformer(resource);
  }

  #wholeInformer(resource: Resource): Informer<KubeObject> {
    const { informer } = this.#options.informers.acquire({
      resource,
      form: formOf(this.#wholeForms.of(resource)),
    });
    this.#whole.set(resourceName(resource), informer);
    return informer;
  }
}

const ownsOf = ({ owns = [] }: Definition): Source[] => owns.map(sourceOf);

const caresFor = (definition: Definition): Source[] => [{ resource: definition.for }, ...ownsOf(definition)];
