import type { ApiClient } from '../kube/api-client.ts';
import type { Informer } from '../kube/informer.ts';
import {
  compareResourceVersions,
  controllerOf,
  type KubeObject,
  type OwnerReference,
  objectKey,
  type PartialObject,
  type Resource,
  refersTo,
  resourceName,
} from '../kube/types.ts';
import { shardLabel } from './contract.ts';
import { type Controlled, ControlledTrees, mostLevels } from './controlled-trees.ts';
import type { ShardCache } from './shard-caches.ts';

const byController = 'controller';

/** `missing`: a controller that should be there and is in no cache; what is above it is not known, either. */
export interface Above {
  known: Controlled[];
  missing?: { resource: Resource; namespace: string | undefined; reference: OwnerReference };
}

interface Created extends Controlled {
  ownerUid: string;
}

export interface ControlledObjectsOptions {
  client: Pick<ApiClient, 'list'>;
  ring: string;
  /** What the shard's controllers reconcile. */
  mains: readonly ShardCache[];
  /** What they own. The same cache for a resource that is in both. */
  owned: readonly ShardCache[];
}

/**
 * The controlled objects of a shard's owners, at any depth: from its caches, completed by what it created and has not
 * seen yet.
 */
export class ControlledObjects {
  readonly #options: ControlledObjectsOptions;
  /** Created and not yet seen in a cache, by resource and name. */
  readonly #created = new Map<string, Created>();
  /** Owner uid → its keys in `#created`. */
  readonly #createdFor = new Map<string, Set<string>>();

  constructor(options: ControlledObjectsOptions) {
    this.#options = options;
    for (const { resource, informer } of options.owned) {
      informer.addIndex(byController, controllerUid);
      const seen = (object: KubeObject): void => this.#seen(resource, object);
      informer.addHandler({ added: seen, updated: (_old, now) => seen(now), deleted: seen });
    }
  }

  /** How many created objects are remembered. */
  get size(): number {
    return this.#created.size;
  }

  /** The owner's reconcile created an object, or changed one. */
  created(owner: PartialObject, resource: Resource, object: KubeObject): void {
    const ownerUid = owner.metadata.uid;
    const controller = controllerUid(object)[0];
    const cache = this.#cacheOf(resource);
    if (ownerUid === undefined || controller === undefined || cache === undefined) return;
    if (!this.includes(ownerUid, controller)) return;
    if (cache.store.get(objectKey(object.metadata))?.metadata.uid === object.metadata.uid) return;
    const key = createdKey(resource, object.metadata);
    this.#forgetCreated(key);
    this.#created.set(key, { ownerUid, resource, object });
    const keys = this.#createdFor.get(ownerUid);
    if (keys) keys.add(key);
    else this.#createdFor.set(ownerUid, new Set([key]));
  }

  /** Nothing is remembered for an owner that is gone from the shard. */
  forget(ownerUid: string): void {
    for (const key of this.#createdFor.get(ownerUid) ?? []) this.#created.delete(key);
    this.#createdFor.delete(ownerUid);
  }

  cached(ownerUid: string): Controlled[] {
    const found = new Map<string, Controlled>();
    const controllers = [ownerUid];
    const take = (controlled: Controlled): void => {
      const { uid = '' } = controlled.object.metadata;
      // Not again, in a circle of references.
      if (found.has(uid) || uid === ownerUid) return;
      found.set(uid, controlled);
      controllers.push(uid);
    };
    for (const uid of controllers) {
      for (const key of this.#createdFor.get(uid) ?? []) {
        const created = this.#created.get(key);
        if (created) take(created);
      }
      for (const { resource, informer } of this.#options.owned) {
        for (const object of informer.store.byIndex(byController, uid)) take({ resource, object });
      }
    }
    return [...found.values()];
  }

  cachedOf(ownerUid: string, resource: Resource): KubeObject[] {
    const name = resourceName(resource);
    return this.cached(ownerUid).flatMap((each) =>
      resourceName(each.resource) === name ? [each.object] : [],
    );
  }

  /** Whether that uid is the owner's, or that of an object that it is known to control. */
  includes(ownerUid: string, uid: string): boolean {
    return uid === ownerUid || this.cached(ownerUid).some(({ object }) => object.metadata.uid === uid);
  }

  /**
   * Whether the shard's label may be given to an object because the owner controls it by now: not where the object may
   * be worked on as a main one by another shard.
   */
  follows(resource: Resource): boolean {
    return this.isOwned(resource) && !this.isMain(resource);
  }

  isOwned(resource: Resource): boolean {
    return this.#cacheOf(resource) !== undefined;
  }

  isMain(resource: Resource): boolean {
    const name = resourceName(resource);
    return this.#options.mains.some((main) => resourceName(main.resource) === name);
  }

  /** Key of the nearest object of the main resource above an object, as far as what is between them is known. */
  mainKey(object: KubeObject, main: Resource): string | undefined {
    const { namespace } = object.metadata;
    let current: KubeObject | undefined = object;
    for (let level = 0; level < mostLevels; level += 1) {
      const reference: OwnerReference | undefined = current && controllerOf(current);
      if (reference === undefined) return undefined;
      if (refersTo(reference, main)) return keyOf(main, namespace, reference.name);
      current = this.#find(reference, namespace);
    }
    return undefined;
  }

  /** What stands above an object of an owned resource in the ring, nearest first. */
  above(resource: Resource, object: KubeObject): Above {
    const known: Controlled[] = [];
    if (!this.isOwned(resource)) return { known };
    const { namespace } = object.metadata;
    let current = object;
    for (let level = 0; level < mostLevels; level += 1) {
      const reference = controllerOf(current);
      const of = reference && this.#all().find((cache) => refersTo(reference, cache.resource))?.resource;
      if (reference === undefined || of === undefined) break;
      const found = this.#find(reference, namespace);
      if (found === undefined) return { known, missing: { resource: of, namespace, reference } };
      known.push({ resource: of, object: found });
      current = found;
    }
    return { known };
  }

  /** Asks the API server, with one list for each resource; objects of the owner under any shard's label. */
  async live(owner: PartialObject, signal: AbortSignal): Promise<Controlled[]> {
    const { client, ring, owned } = this.#options;
    const { namespace, uid = '' } = owner.metadata;
    // A namespaced object can't own a cluster-scoped one.
    const resources = owned
      .map(({ resource }) => resource)
      .filter(({ namespaced }) => namespaced || namespace === undefined);
    const trees = new ControlledTrees([uid], resources);
    for (const resource of resources) {
      const pages = client.list(resource, 'metadata', { namespace, labelSelector: shardLabel(ring), signal });
      for await (const { items } of pages) for (const object of items) trees.add(resource, object);
      trees.listed(resource);
    }
    return trees.of(uid);
  }

  #all(): ShardCache[] {
    return [...this.#options.owned, ...this.#options.mains];
  }

  #cacheOf(resource: Resource): Informer<KubeObject> | undefined {
    const name = resourceName(resource);
    return this.#options.owned.find((entry) => resourceName(entry.resource) === name)?.informer;
  }

  #find(reference: OwnerReference, namespace: string | undefined): KubeObject | undefined {
    for (const { resource, informer } of this.#all()) {
      if (!refersTo(reference, resource)) continue;
      const key = keyOf(resource, namespace, reference.name);
      const object = informer.store.get(key) ?? this.#created.get(`${resourceName(resource)}/${key}`)?.object;
      if (object?.metadata.uid === reference.uid) return object;
    }
    return undefined;
  }

  #seen(resource: Resource, { metadata }: KubeObject): void {
    const key = createdKey(resource, metadata);
    const version = this.#created.get(key)?.object.metadata.resourceVersion ?? '0';
    // Else it is the end of a predecessor.
    if (compareResourceVersions(metadata.resourceVersion ?? '0', version) >= 0) this.#forgetCreated(key);
  }

  #forgetCreated(key: string): void {
    const created = this.#created.get(key);
    if (created === undefined) return;
    this.#created.delete(key);
    const keys = this.#createdFor.get(created.ownerUid);
    keys?.delete(key);
    if (keys?.size === 0) this.#createdFor.delete(created.ownerUid);
  }
}

const controllerUid = (object: KubeObject): string[] => {
  const uid = controllerOf(object)?.uid;
  return uid === undefined ? [] : [uid];
};

const keyOf = (resource: Resource, namespace: string | undefined, name: string): string =>
  objectKey({ name, ...(resource.namespaced && { namespace }) });

const createdKey = (resource: Resource, metadata: KubeObject['metadata']): string =>
  `${resourceName(resource)}/${objectKey(metadata)}`;
