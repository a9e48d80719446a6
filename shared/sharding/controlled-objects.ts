import type { ApiClient } from '../kube/api-client.ts';
import type { Informer } from '../kube/informer.ts';
import {
  controllerOf,
  type KubeObject,
  objectKey,
  type PartialObject,
  type Resource,
  resourceName,
} from '../kube/types.ts';
import { shardLabel } from './contract.ts';

export interface Controlled {
  resource: Resource;
  object: KubeObject;
}

const byController = 'controller';

/** The controlled objects of a shard's owners: from its caches, completed by what it created and has not seen yet. */
export class ControlledObjects {
  readonly #client: Pick<ApiClient, 'list'>;
  readonly #ring: string;
  readonly #informers: ReadonlyMap<string, { resource: Resource; informer: Informer<KubeObject> }>;
  /** Owner uid → objects created and not yet seen in a cache. */
  readonly #created = new Map<string, Map<string, Controlled>>();

  constructor(
    client: Pick<ApiClient, 'list'>,
    ring: string,
    informers: Array<{ resource: Resource; informer: Informer<KubeObject> }>,
  ) {
    this.#client = client;
    this.#ring = ring;
    this.#informers = new Map(informers.map((entry) => [resourceName(entry.resource), entry]));
    for (const { resource, informer } of informers) {
      informer.addIndex(byController, (object) => {
        const uid = controllerOf(object)?.uid;
        return uid === undefined ? [] : [uid];
      });
      const seen = (object: KubeObject): void => this.#seen(resource, object);
      informer.addHandler({ added: seen, updated: (_old, now) => seen(now), deleted: seen });
    }
  }

  created(owner: PartialObject, resource: Resource, object: KubeObject): void {
    const ownerUid = owner.metadata.uid;
    const cache = this.#informers.get(resourceName(resource))?.informer;
    if (ownerUid === undefined || cache === undefined || controllerOf(object)?.uid !== ownerUid) return;
    if (cache.store.get(objectKey(object.metadata))?.metadata.uid === object.metadata.uid) return;
    const unseen = this.#created.get(ownerUid) ?? new Map<string, Controlled>();
    unseen.set(createdKey(resource, object), { resource, object });
    this.#created.set(ownerUid, unseen);
  }

  /** Nothing is remembered for an owner that is gone from the shard. */
  forget(ownerUid: string): void {
    this.#created.delete(ownerUid);
  }

  cached(ownerUid: string): Controlled[] {
    const found = [...this.#informers.values()].flatMap(({ resource, informer }) =>
      informer.store.byIndex(byController, ownerUid).map((object) => ({ resource, object })),
    );
    return [...found, ...(this.#created.get(ownerUid)?.values() ?? [])];
  }

  /** Asks the API server; objects of the owner under any shard's label. */
  async live(owner: PartialObject, signal: AbortSignal): Promise<Controlled[]> {
    const found: Controlled[] = [];
    for (const { resource } of this.#informers.values()) {
      const pages = this.#client.list(resource, 'metadata', {
        namespace: owner.metadata.namespace,
        labelSelector: shardLabel(this.#ring),
        signal,
      });
      for await (const { items } of pages) {
        for (const object of items) {
          if (controllerOf(object)?.uid === owner.metadata.uid) found.push({ resource, object });
        }
      }
    }
    return found;
  }

  #seen(resource: Resource, object: KubeObject): void {
    const ownerUid = controllerOf(object)?.uid;
    const unseen = ownerUid === undefined ? undefined : this.#created.get(ownerUid);
    if (ownerUid === undefined || unseen === undefined) return;
    unseen.delete(createdKey(resource, object));
    if (unseen.size === 0) this.#created.delete(ownerUid);
  }
}

const createdKey = (resource: Resource, object: KubeObject): string =>
  `${resourceName(resource)}/${objectKey(object.metadata)}`;
