/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
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
} from '../kube/api-client.ts';
import {
  type KubeObject,
  type ObjectRef,
  objectKey,
  type PartialObject,
  type Resource,
  resourceName,
} from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ApiFaults, ApiRequest } from './api-faults.ts';
import type { ApiServer, Caller } from './api-server.ts';
import { fieldSelector } from './field-selector.ts';
import { asJson, cloneJson } from './json.ts';
import { labelSelector } from './label-selector.ts';
import type { ListPages } from './list-pages.ts';
import type { MemoryWatches } from './memory-watches.ts';
import type { Subresource } from './object-rules.ts';

/** What all clients of one server share. */
export interface ServerParts {
  clock: Clock;
  server: ApiServer;
  pages: ListPages;
  watches: MemoryWatches;
  faults: ApiFaults;
  requests: ApiRequest[];
}

/** A client of an API server in memory. */
export interface ClientOptions {
  /** Default `admin`. */
  user?: string | undefined;
  groups?: string[] | undefined;
  /** Owner of the fields that its updates change. Default `controller-sharding`, as a real client of this library. */
  fieldManager?: string | undefined;
  /** How long each of its requests takes to arrive. Default 0. */
  latencyMs?: number | ((request: ApiRequest) => number) | undefined;
  /** Objects per page of lists that don't say. Default 500. */
  pageSize?: number | undefined;
}

type Selection = Pick<WatchOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

export class MemoryClient implements ApiClient {
  readonly #parts: ServerParts;
  readonly #caller: Caller;
  readonly #latencyMs: (request: ApiRequest) => number;
  readonly #pageSize: number;

  constructor(parts: ServerParts, options: ClientOptions = {}) {
    this.#parts = parts;
    const { user = 'admin', groups = [], fieldManager = 'controller-sharding', latencyMs = 0 } = options;
    this.#pageSize = options.pageSize ?? 500;
    this.#caller = { user, groups, fieldManager };
    this.#latencyMs = typeof latencyMs === 'number' ? () => latencyMs : latencyMs;
  }

  get<T extends KubeObject>(resource: Resource, ref: ObjectRef, options?: RequestOptions): Promise<T> {
    return this.#request({ verb: 'get', resource, object: objectKey(ref) }, options, () => {
      return this.#parts.server.get(resource, ref) as T;
    });
  }

  async getMetadata(resource: Resource, ref: ObjectRef, options?: RequestOptions): Promise<PartialObject> {
    return inForm('metadata', await this.get(resource, ref, options));
  }

  listPage<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: ListOptions & { continueToken?: string | undefined },
  ): Promise<ListPage<T>> {
    const { namespace, labelSelector: selector, limit = this.#pageSize, continueToken } = options;
    const request = { verb: 'list', resource, object: namespace ?? '', labelSelector: selector } as const;
    return this.#request(request, options, () => {
      const { scope, selected } = this.#selection(resource, options);
      const page = this.#parts.pages.page(resource, scope, selected, limit, continueToken);
      return { ...page, items: page.items.map((object) => inForm(form, object) as T) };
    });
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
    const { namespace, labelSelector: labels, fieldSelector: fields, signal } = options;
    const request = { verb: 'watch', resource, object: namespace ?? '', labelSelector: labels } as const;
    await this.#request(request, { signal }, () => void this.#selection(resource, options));
    const { scope, selected } = this.#selection(resource, options);
    const inScope = (object: KubeObject): boolean =>
      (scope === undefined || object.metadata.namespace === scope) && selected(object);
    const info = {
      user: this.#caller.user,
      resource: resourceName(resource),
      namespace,
      labelSelector: labels,
      fieldSelector: fields,
    };
    for await (const event of this.#parts.watches.watch(resource, options, info, inScope)) {
      yield event.type === 'BOOKMARK'
        ? event
        : { type: event.type, object: cloneJson(inForm(form, event.object)) as T };
    }
  }

  create<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    const body = asJson(object);
    return this.#request({ verb: 'create', resource, object: objectKey(body.metadata) }, options, () => {
      return this.#parts.server.create(resource, body, this.#caller) as Promise<T>;
    });
  }

  update<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    return this.#update(resource, object, '', options);
  }

  updateStatus<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    return this.#update(resource, object, 'status', options);
  }

  patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#patch(resource, ref, patch, '', options);
  }

  async patchMetadata(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<PartialObject> {
    return inForm('metadata', await this.patch(resource, ref, patch, options));
  }

  patchStatus<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#patch(resource, ref, patch, 'status', options);
  }

  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    await this.#request({ verb: 'delete', resource, object: objectKey(ref) }, options, () =>
      this.#parts.server.delete(resource, ref, options, this.#caller),
    );
  }

  #update<T extends KubeObject>(
    resource: Resource,
    object: T,
    subresource: Subresource,
    options: RequestOptions | undefined,
  ): Promise<T> {
    const body = asJson(object);
    const request = { verb: 'update', resource, object: objectKey(body.metadata), subresource } as const;
    return this.#request(request, options, () => {
      return this.#parts.server.update(resource, body, this.#caller, subresource) as Promise<T>;
    });
  }

  #patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    subresource: Subresource,
    options: RequestOptions | undefined,
  ): Promise<T> {
    const body = asJson(patch);
    const request = { verb: 'patch', resource, object: objectKey(ref), subresource, patch: body } as const;
    return this.#request(request, options, () => {
      return this.#parts.server.patch(resource, ref, body, this.#caller, subresource) as Promise<T>;
    });
  }

  /** Throws ApiError 404 or 400, as a request with this selection is answered. */
  #selection(resource: Resource, { namespace, ...options }: Selection) {
    const served = this.#parts.server.resources.served(resource);
    const byLabels = labelSelector(options.labelSelector);
    const byFields = fieldSelector(served, options.fieldSelector);
    return {
      /** The only namespace, if there is one. */
      scope: served.namespaced ? namespace || undefined : undefined,
      selected: (object: KubeObject): boolean => byLabels(object.metadata.labels) && byFields(object),
    };
  }

  async #request<T>(
    about: Pick<ApiRequest, 'verb' | 'object' | 'labelSelector' | 'patch'> & {
      resource: Resource;
      subresource?: Subresource;
    },
    options: RequestOptions | undefined,
    effect: () => T | Promise<T>,
  ): Promise<T> {
    const { clock, faults, requests } = this.#parts;
    const { resource, subresource = '', ...rest } = about;
    const request: ApiRequest = {
      ...rest,
      resource: resourceName(resource) + (subresource === '' ? '' : `/${subresource}`),
      user: this.#caller.user,
      timeoutMs: options?.timeoutMs,
      at: clock.monotonic(),
    };
    requests.push(request);
    return cloneJson(await faults.pass(request, this.#latencyMs(request), options?.signal, effect));
  }
}

const inForm = (form: Form, object: KubeObject): KubeObject =>
  form === 'full'
    ? object
    : { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', metadata: object.metadata };
