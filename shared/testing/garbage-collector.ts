import { namespaces } from '../kube/resources.ts';
import type { KubeObject, OwnerReference, Resource } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ApiServer } from './api-server.ts';
import { foregroundFinalizer, orphanFinalizer } from './deletion.ts';

type Owner = 'present' | 'absent' | 'waiting' | 'unknown';

const manager = 'kube-controller-manager';

/**
 * The controllers that finish deletions: objects whose owners are all gone are deleted, references to gone owners are
 * removed, and the finalizers of foreground and orphaning deletions are worked off; so are deleted namespaces. It looks
 * at everything, so much later than a change.
 */
export class GarbageCollector {
  readonly #clock: Clock;
  readonly #server: ApiServer;
  readonly #delayMs: number;
  #scheduled = false;

  constructor(clock: Clock, server: ApiServer, delayMs: number) {
    this.#clock = clock;
    this.#server = server;
    this.#delayMs = delayMs;
  }

  start(): void {
    this.#server.store.onChange(() => this.#schedule());
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(this.#delayMs, () => {
      this.#scheduled = false;
      this.#collect();
    });
  }

  /** What it changes sets off another look. */
  #collect(): void {
    for (const [resource, { metadata }] of this.#objects()) {
      const object = this.#server.store.get(resource, metadata)?.object;
      if (!object) continue; // gone in this look
      const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata;
      if (!deletionTimestamp) {
        if (ownerReferences.length > 0) this.#attend(resource, object, ownerReferences);
      } else if (finalizers.includes(foregroundFinalizer)) {
        if (this.#blockers(object).length === 0) this.#release(resource, object, foregroundFinalizer);
      } else if (finalizers.includes(orphanFinalizer)) {
        this.#orphan(resource, object);
      }
    }
    for (const namespace of this.#server.store.list(namespaces)) this.#empty(namespace);
  }

  #objects(): [Resource, KubeObject][] {
    const { store } = this.#server;
    return store.resources.flatMap((resource) =>
      store.list(resource).map((object): [Resource, KubeObject] => [resource, object]),
    );
  }

  #attend(resource: Resource, object: KubeObject, references: OwnerReference[]): void {
    const owners = references.map((reference) => this.#ownerState(resource, object, reference));
    if (owners.includes('present') || owners.includes('unknown')) {
      const kept = references.filter(
        (_, index) => owners[index] === 'present' || owners[index] === 'unknown',
      );
      if (kept.length < references.length) this.#edit(resource, object, { ownerReferences: kept });
      return;
    }
    const foreground = owners.includes('waiting') && this.#blockers(object).length > 0;
    this.#server.deleteNow(resource, object.metadata, {
      uid: object.metadata.uid,
      ...(foreground && { propagationPolicy: 'Foreground' }),
    });
  }

  #ownerState(resource: Resource, { metadata }: KubeObject, reference: OwnerReference): Owner {
    const served = this.#server.resources.byKind(reference.apiVersion, reference.kind);
    if (!served || (served.namespaced && !resource.namespaced)) return 'unknown';
    const namespace = served.namespaced ? metadata.namespace : undefined;
    const found = this.#server.store.get(served, { name: reference.name, namespace })?.object.metadata;
    if (!found || found.uid !== reference.uid) return 'absent';
    return found.deletionTimestamp && found.finalizers?.includes(foregroundFinalizer) ? 'waiting' : 'present';
  }

  #dependents(owner: KubeObject, blocking: boolean): [Resource, KubeObject][] {
    return this.#objects().filter(([, { metadata }]) =>
      metadata.ownerReferences?.some(
        ({ uid, blockOwnerDeletion }) =>
          uid === owner.metadata.uid && (!blocking || blockOwnerDeletion === true),
      ),
    );
  }

  #blockers(owner: KubeObject): [Resource, KubeObject][] {
    return this.#dependents(owner, true);
  }

  #orphan(resource: Resource, owner: KubeObject): void {
    for (const [kind, dependent] of this.#dependents(owner, false)) {
      const references = dependent.metadata.ownerReferences ?? [];
      const ownerReferences = references.filter(({ uid }) => uid !== owner.metadata.uid);
      this.#edit(kind, dependent, { ownerReferences });
    }
    this.#release(resource, owner, orphanFinalizer);
  }

  #release(resource: Resource, object: KubeObject, finalizer: string): void {
    const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    this.#edit(resource, object, { finalizers });
  }

  /** A terminating namespace goes when nothing is left in it. */
  #empty(namespace: KubeObject): void {
    const { name, deletionTimestamp } = namespace.metadata;
    if (!deletionTimestamp) return;
    const content = this.#objects().filter(([, { metadata }]) => metadata.namespace === name);
    for (const [resource, { metadata }] of content) this.#server.deleteNow(resource, metadata);
    if (content.length === 0) this.#server.store.delete(namespaces, { name });
  }

  #edit(resource: Resource, object: KubeObject, metadata: Partial<KubeObject['metadata']>): void {
    this.#server.updateNow(resource, { ...object, metadata: { ...object.metadata, ...metadata } }, manager);
  }
}
