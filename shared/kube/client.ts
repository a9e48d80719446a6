import type {
  ApiClient,
  DeleteOptions,
  Form,
  ListOptions,
  ListPage,
  Patch,
  RequestOptions,
  WatchEvent,
  WatchOptions,
} from './api-client.ts';
import { readPage, readPages, readWatch } from './collections.ts';
import { ingestAs } from './ingest.ts';
import { collectionPath, objectPath } from './paths.ts';
import type { Transport, TransportRequest } from './transport.ts';
import { apiVersionOf, type KubeObject, type ObjectRef, type PartialObject, type Resource } from './types.ts';

const defaultLimit = 500;

const acceptObject: Record<Form, string> = {
  full: 'application/json',
  metadata: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
};

const patchTypes: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml', // JSON is YAML
};

type Subresource = '' | '/status';

/** The API client over a Transport. */
export class KubeClient implements ApiClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async get<T extends KubeObject>(resource: Resource, ref: ObjectRef, options?: RequestOptions): Promise<T> {
    return this.#object<T>(resource, 'full', options, { method: 'GET', path: objectPath(resource, ref) });
  }

  async getMetadata(resource: Resource, ref: ObjectRef, options?: RequestOptions): Promise<PartialObject> {
    return this.#object(resource, 'metadata', options, { method: 'GET', path: objectPath(resource, ref) });
  }

  async listPage<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: ListOptions & { continueToken?: string | undefined },
  ): Promise<ListPage<T>> {
    const { bytes: _, ...page } = await readPage<T>(this.#transport, resource, form, {
      ...options,
      limit: options.limit ?? defaultLimit,
    });
    return page;
  }

  list<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: ListOptions = {},
  ): AsyncGenerator<ListPage<T>> {
    return readPages<T>(this.#transport, resource, form, options);
  }

  watch<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    return readWatch<T>(this.#transport, resource, form, options);
  }

  async create<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    const path = collectionPath(resource, object.metadata.namespace);
    return this.#object(resource, 'full', options, { method: 'POST', path, body: bodyOf(resource, object) });
  }

  async update<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    return this.#put(resource, object, '', options);
  }

  async updateStatus<T extends KubeObject>(
    resource: Resource,
    object: T,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#put(resource, object, '/status', options);
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#patch<T>(resource, ref, '', patch, 'full', options);
  }

  async patchMetadata(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<PartialObject> {
    return this.#patch(resource, ref, '', patch, 'metadata', options);
  }

  async patchStatus<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#patch<T>(resource, ref, '/status', patch, 'full', options);
  }

  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagationPolicy } = options;
    const preconditions = { uid, resourceVersion };
    await this.#transport.request({
      method: 'DELETE',
      path: objectPath(resource, ref),
      body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy }),
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      priority: options.priority,
    });
  }

  #put<T extends KubeObject>(
    resource: Resource,
    object: T,
    subresource: Subresource,
    options: RequestOptions | undefined,
  ): Promise<T> {
    const path = objectPath(resource, object.metadata) + subresource;
    return this.#object(resource, 'full', options, { method: 'PUT', path, body: bodyOf(resource, object) });
  }

  #patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    subresource: Subresource,
    patch: Patch,
    form: Form,
    options: RequestOptions | undefined,
  ): Promise<T> {
    const apply =
      patch.type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : undefined;
    return this.#object<T>(resource, form, options, {
      method: 'PATCH',
      path: objectPath(resource, ref) + subresource,
      query: apply,
      headers: { 'content-type': patchTypes[patch.type] },
      body: patchBody(resource, patch),
    });
  }

  async #object<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: RequestOptions | undefined,
    request: Pick<TransportRequest, 'method' | 'path' | 'query' | 'headers' | 'body'>,
  ): Promise<T> {
    const object = await this.#transport.json<T>({
      ...request,
      headers: { accept: acceptObject[form], ...request.headers },
      signal: options?.signal,
      timeoutMs: options?.timeoutMs,
      priority: options?.priority,
    });
    return ingestAs<T>(resource)(object);
  }
}

const bodyOf = (resource: Resource, object: KubeObject): string =>
  JSON.stringify({ ...object, apiVersion: apiVersionOf(resource), kind: resource.kind });

function patchBody(resource: Resource, patch: Patch): string {
  if (patch.type === 'apply') return bodyOf(resource, patch.body);
  return JSON.stringify(patch.type === 'json' ? patch.operations : patch.body);
}
