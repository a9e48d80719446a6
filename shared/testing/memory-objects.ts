/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../kube/errors.ts';
import {
  apiVersionOf,
  type KubeObject,
  type ObjectRef,
  objectKey,
  type Resource,
  resourceName,
} from '../kube/types.ts';

/** One write, as watches see it. */
export interface Change {
  version: number;
  resource: string;
  before: KubeObject | undefined;
  now: KubeObject | undefined;
}

/** What an API server keeps: objects with uid and resourceVersion, and the history of their changes. */
export class MemoryObjects {
  readonly history: Change[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #changed: () => void;
  #version = 1_000;
  #uids = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get version(): number {
    return this.#version;
  }

  /** Sorted by key, as the API server lists. */
  list(resource: Resource): KubeObject[] {
    const objects = [...(this.#objects.get(resourceName(resource)) ?? [])];
    return objects.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** Throws ApiError 404. */
  get(resource: Resource, ref: ObjectRef): KubeObject {
    const found = this.#objects.get(resourceName(resource))?.get(objectKey(ref));
    if (found) return found;
    throw new ApiError(404, 'NotFound', `${resourceName(resource)} "${ref.name}" not found`);
  }

  /** Throws ApiError 409 AlreadyExists. */
  create(resource: Resource, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    if (this.#objects.get(resourceName(resource))?.has(objectKey(object.metadata))) {
      throw new ApiError(409, 'AlreadyExists', `${resourceName(resource)} "${name}" already exists`);
    }
    if (resource.namespaced !== (namespace !== undefined))
      throw new ApiError(400, 'BadRequest', 'wrong scope');
    const metadata = { ...object.metadata, uid: `uid-${(this.#uids += 1)}`, generation: 1 };
    return this.#write(resource, undefined, { ...object, metadata });
  }

  /** Throws ApiError 409 when the uid or resourceVersion, where given, is not the present one. */
  replace(resource: Resource, object: KubeObject): KubeObject {
    const before = this.get(resource, object.metadata);
    this.#precondition(before, object.metadata);
    const { uid, resourceVersion, generation = 1 } = before.metadata;
    const now = {
      ...object,
      metadata: { ...object.metadata, uid, resourceVersion, generation },
    } as KubeObject;
    if (isDeepStrictEqual(before, identified(resource, now))) return before;
    if (!isDeepStrictEqual(specOf(before), specOf(now))) now.metadata.generation = generation + 1;
    return this.#write(resource, before, now);
  }

  remove(
    resource: Resource,
    ref: ObjectRef,
    preconditions: { uid?: string | undefined; resourceVersion?: string | undefined } = {},
  ): void {
    const before = this.get(resource, ref);
    this.#precondition(before, preconditions);
    this.#write(resource, before, undefined);
  }

  #precondition(
    object: KubeObject,
    wanted: { uid?: string | undefined; resourceVersion?: string | undefined },
  ): void {
    for (const field of ['uid', 'resourceVersion'] as const) {
      if (wanted[field] === undefined || wanted[field] === object.metadata[field]) continue;
      throw new ApiError(409, 'Conflict', `the object has been modified: another ${field}`);
    }
  }

  #write(resource: Resource, before: KubeObject | undefined, object: KubeObject | undefined): KubeObject {
    this.#version += 1;
    const name = resourceName(resource);
    const objects = this.#objects.get(name) ?? new Map<string, KubeObject>();
    this.#objects.set(name, objects);
    const now = object && identified(resource, structuredClone(object));
    if (now) {
      now.metadata.resourceVersion = String(this.#version);
      objects.set(objectKey(now.metadata), now);
    } else if (before) {
      objects.delete(objectKey(before.metadata));
    }
    this.history.push({ version: this.#version, resource: name, before, now });
    this.#changed();
    return now ?? { metadata: { name: '' } };
  }
}

/** An empty map of labels is none to the API server. */
function identified(resource: Resource, object: KubeObject): KubeObject {
  const { labels, ...metadata } = object.metadata;
  const kept = labels && Object.keys(labels).length > 0 ? { ...metadata, labels } : metadata;
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: kept };
}

function specOf(object: KubeObject): unknown {
  const {
    metadata: _metadata,
    status: _status,
    apiVersion: _version,
    kind: _kind,
    ...spec
  } = object as KubeObject & { status?: unknown };
  return spec;
}
