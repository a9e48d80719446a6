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
import { ApiError } from '../kube/errors.ts';
import {
  type KubeObject,
  type ObjectRef,
  objectKey,
  type PartialObject,
  type Resource,
  resourceName,
} from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ApiRequest } from './api-faults.ts';
import { jsonPatched, mergePatched } from './json-patch.ts';
import { labelSelector } from './label-selector.ts';
import { MemoryWorld } from './memory-world.ts';

/** For tests: an API server in memory, with its versions, conflicts, patches, lists and watches, and faults on demand. */
export class MemoryApi extends MemoryWorld implements ApiClient {
  readonly #clock: Clock;
  readonly #pages = new Map<string, KubeObject[]>();

  constructor(clock: Clock) {
    super(clock);
    this.#clock = clock;
  }

  async get<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    options: RequestOptions = {},
  ): Promise<T> {
    return this.#request(
      'get',
      resource,
      objectKey(ref),
      options,
      {},
      () => this.objects.get(resource, ref) as T,
    );
  }

  async getMetadata(resource: Resource, ref: ObjectRef, options?: RequestOptions): Promise<PartialObject> {
    return inForm('metadata', await this.get(resource, ref, options));
  }

  async listPage<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: ListOptions & { continueToken?: string | undefined },
  ): Promise<ListPage<T>> {
    if (options.fieldSelector) throw new Error('field selectors are not known here');
    const { namespace, labelSelector: selector, limit = 500, continueToken } = options;
    return this.#request('list', resource, namespace ?? '', options, { labelSelector: selector }, () => {
      const [version = String(this.objects.version), offset = '0'] = continueToken?.split(':') ?? [];
      const matching = this.#pages.get(continueToken ?? '') ?? this.#select(resource, namespace, selector);
      const end = Number(offset) + limit;
      const token = end < matching.length ? `${version}:${end}:${this.requests.length}` : undefined;
      if (token) this.#pages.set(token, matching);
      const items = matching.slice(Number(offset), end).map((object) => inForm(form, object) as T);
      return { items, resourceVersion: version, continue: token };
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
    const { namespace = '', labelSelector: selector, signal } = options;
    await this.#request(
      'watch',
      resource,
      namespace,
      { signal },
      { labelSelector: selector },
      () => undefined,
    );
    for await (const event of this.watches.open(resource, options)) {
      yield structuredClone(
        event.type === 'BOOKMARK' ? event : { ...event, object: inForm(form, event.object) },
      ) as WatchEvent<T>;
    }
  }

  async create<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    const body = structuredClone(object);
    return this.#request(
      'create',
      resource,
      objectKey(body.metadata),
      options,
      {},
      () => this.objects.create(resource, body) as T,
    );
  }

  async update<T extends KubeObject>(resource: Resource, object: T, options?: RequestOptions): Promise<T> {
    const body = structuredClone(object);
    return this.#request('update', resource, objectKey(body.metadata), options, {}, () => {
      const { status } = this.objects.get(resource, body.metadata) as WithStatus;
      return this.objects.replace(
        resource,
        withStatus(body, resource.resource === 'controllerrings' ? status : statusOf(body)),
      ) as T;
    });
  }

  async updateStatus<T extends KubeObject>(
    resource: Resource,
    object: T,
    options?: RequestOptions,
  ): Promise<T> {
    const body = structuredClone(object);
    return this.#request('update', resource, objectKey(body.metadata), options, { status: true }, () => {
      const present = this.objects.get(resource, body.metadata);
      const { resourceVersion } = body.metadata;
      const metadata = { ...present.metadata, ...(resourceVersion && { resourceVersion }) };
      return this.objects.replace(resource, withStatus({ ...present, metadata }, statusOf(body))) as T;
    });
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#request(
      'patch',
      resource,
      objectKey(ref),
      options,
      { patch },
      () => this.#patched(resource, ref, patch) as T,
    );
  }

  async patchMetadata(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<PartialObject> {
    return inForm('metadata', await this.patch(resource, ref, patch, options));
  }

  async patchStatus<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T> {
    return this.#request('patch', resource, objectKey(ref), options, { patch, status: true }, () => {
      const present = this.objects.get(resource, ref);
      const { body } = patch as { body: WithStatus };
      return this.objects.replace(resource, mergePatched(present, { status: body.status })) as T;
    });
  }

  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion } = options;
    await this.#request('delete', resource, objectKey(ref), options, {}, () =>
      this.objects.remove(resource, ref, { uid, resourceVersion }),
    );
  }

  #patched(resource: Resource, ref: ObjectRef, patch: Patch): KubeObject {
    if (patch.type === 'apply') {
      const { metadata } = patch.body;
      const exists = this.peek(resource, ref) !== undefined;
      if (!exists)
        return this.objects.create(resource, {
          ...patch.body,
          metadata: { ...metadata, ...ref } as typeof metadata,
        });
      return this.objects.replace(resource, mergePatched(this.objects.get(resource, ref), patch.body));
    }
    const present = this.objects.get(resource, ref);
    if (patch.type === 'merge' || patch.type === 'strategic')
      return this.objects.replace(resource, mergePatched(present, patch.body));
    let next: KubeObject;
    try {
      next = jsonPatched(present, patch.operations);
    } catch (error) {
      throw new ApiError(
        422,
        'Invalid',
        `the server rejected our request due to an error in our request: ${String(error)}`,
      );
    }
    return this.objects.replace(resource, next);
  }

  #select(resource: Resource, namespace: string | undefined, selector: string | undefined): KubeObject[] {
    const matches = labelSelector(selector);
    return this.objects
      .list(resource)
      .filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) && matches(metadata.labels),
      );
  }

  async #request<T>(
    verb: ApiRequest['verb'],
    resource: Resource,
    object: string,
    options: RequestOptions | undefined,
    { status, ...about }: { labelSelector?: string | undefined; patch?: Patch; status?: boolean },
    effect: () => T,
  ): Promise<T> {
    const name = `${resourceName(resource)}${status ? '/status' : ''}`;
    const { timeoutMs, signal } = options ?? {};
    const request = {
      verb,
      resource: name,
      object,
      timeoutMs,
      at: this.#clock.monotonic(),
      ...structuredClone(about),
    };
    this.requests.push(request);
    return structuredClone(await this.faults.pass(request, signal, effect));
  }
}

type WithStatus = KubeObject & { status?: unknown };

const statusOf = (object: KubeObject): unknown => (object as WithStatus).status;

const withStatus = (object: KubeObject, status: unknown): KubeObject => {
  const { status: _status, ...rest } = object as WithStatus;
  return status === undefined ? rest : ({ ...rest, status } as KubeObject);
};

const inForm = (form: Form, object: KubeObject): KubeObject =>
  form === 'full'
    ? object
    : { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', metadata: object.metadata };
