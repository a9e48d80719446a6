/* oxlint-disable typescript/no-unsafe-type-assertion -- a Namespace has more than a KubeObject says */
import { namespaces } from '../kube/resources.ts';
import { type KubeObject, type Labels, type Resource, resourceName } from '../kube/types.ts';
import { timestamp } from './object-rules.ts';
import type { ObjectStore } from './object-store.ts';
import { namespaceTerminating, notFound } from './status-errors.ts';

type Namespace = KubeObject & { spec?: { finalizers?: string[] }; status?: { phase?: string } };

/** What a namespace is to the objects in it. */
export class NamespaceLifecycle {
  readonly #store: ObjectStore;
  readonly #isChecked: boolean;

  /** `isChecked`: objects are only created in namespaces that exist, and a deleted one waits until it is empty. */
  constructor(store: ObjectStore, isChecked: boolean) {
    this.#store = store;
    this.#isChecked = isChecked;
  }

  /** Throws ApiError 404 or 403 when nothing can be created there. */
  check(resource: Resource, { metadata }: KubeObject): void {
    const { name, namespace } = metadata;
    if (!this.#isChecked || !resource.namespaced || !namespace) return;
    const found = this.#store.get(namespaces, { name: namespace });
    if (!found) throw notFound(namespaces, namespace);
    if (found.object.metadata.deletionTimestamp) throw namespaceTerminating(resource, name, namespace);
  }

  labels(name: string): Labels {
    const found = this.#store.get(namespaces, { name });
    return { 'kubernetes.io/metadata.name': name, ...found?.object.metadata.labels };
  }

  /** A namespace as it is created; anything else as it is. */
  created(resource: Resource, object: KubeObject): KubeObject {
    if (!this.#isChecked || resourceName(resource) !== 'namespaces') return object;
    const { name, labels } = object.metadata;
    const namespace: Namespace = {
      ...object,
      metadata: { ...object.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    };
    return namespace;
  }

  /** A namespace that is to be deleted, while it may not be empty; undefined for anything else. */
  terminating(resource: Resource, object: KubeObject, now: Date): KubeObject | undefined {
    const { metadata, spec }: Namespace = object;
    if (resourceName(resource) !== 'namespaces' || !spec?.finalizers?.length) return undefined;
    const namespace: Namespace = {
      ...object,
      metadata: { ...metadata, deletionTimestamp: metadata.deletionTimestamp ?? timestamp(now) },
      status: { phase: 'Terminating' },
    };
    return namespace;
  }
}
