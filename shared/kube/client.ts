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
import type { Query, Transport, TransportRequest } from './transport.ts';
import { apiVersionOf, type KubeObject, type ObjectRef, type PartialObject, type Resource } from './types.ts';
import { linesOf, parseWatchEvent } from './watch-stream.ts';

const pageSize = 500;

const acceptObject: Record<Form, string> = {
  full: 'application/json',
  metadata: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
};
const acceptList: Record<Form, string> = {
  full: 'application/json',
  metadata: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
};

const patchTypes: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml', // JSON is YAML
};

interface ListDocument<T> {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: T[] | null;
}

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
    const { items, metadata } = await this.#transport.json<ListDocument<T>>({
      method: 'GET',
      path: collectionPath(resource, options.namespace),
      query: {
        ...selectors(options),
        limit: options.limit ?? pageSize,
        continue: options.continueToken,
      },
      headers: { accept: acceptList[form] },
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    });
    return {
      items: (items ?? []).map(ingestAs<T>(resource)), // an empty metadata-only list has `items: null`
      resourceVersion: metadata?.resourceVersion ?? '',
      continue: metadata?.continue || undefined,
    };
  }

  async *list<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: ListOptions = {},
  ): AsyncGenerator<ListPage<T>> {
    let continueToken: string | undefined;
    do {
      const page: ListPage<T> = await this.listPage<T>(resource, form, { ...options, continueToken });
      yield page;
      continueToken = page.continue;
    } while (continueToken !== undefined);
  }

  async *watch<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const chunks = this.#transport.stream({
      path: collectionPath(resource, options.namespace),
      query: {
        ...selectors(options),
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds: options.timeoutSeconds,
        resourceVersion: options.resourceVersion,
        ...(options.sendInitialEvents && { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }),
      },
      headers: { accept: acceptObject[form] },
      signal: options.signal,
      onOpen: options.onOpen,
    });
    const ingest = ingestAs<T>(resource);
    for await (const line of linesOf(chunks)) {
      const event = parseWatchEvent<T>(line);
      if (event.type !== 'BOOKMARK') event.object = ingest(event.object);
      yield event;
    }
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
    });
    return ingestAs<T>(resource)(object);
  }
}

function collectionPath(resource: Resource, namespace: string | undefined): string {
  const root = resource.group === '' ? '/api' : '/apis';
  const scope = namespace && resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}/${apiVersionOf(resource)}${scope}/${resource.resource}`;
}

function objectPath(resource: Resource, { namespace, name }: ObjectRef): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

function selectors(options: {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}): Query {
  return {
    labelSelector: options.labelSelector || undefined,
    fieldSelector: options.fieldSelector || undefined,
  };
}

const bodyOf = (resource: Resource, object: KubeObject): string =>
  JSON.stringify({ ...object, apiVersion: apiVersionOf(resource), kind: resource.kind });

function patchBody(resource: Resource, patch: Patch): string {
  if (patch.type === 'apply') return bodyOf(resource, patch.body);
  return JSON.stringify(patch.type === 'json' ? patch.operations : patch.body);
}

/** Lists leave out the kind of their items, and a metadata-only answer says `PartialObjectMetadata`. */
function ingestAs<T extends KubeObject>(resource: Resource): (object: T) => T {
  const apiVersion = apiVersionOf(resource);
  const { kind } = resource;
  return (object) => {
    // Copied instead of deleted from: deleting would turn the object into a slow and large dictionary.
    const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown };
    return { ...object, apiVersion, kind, metadata };
  };
}
