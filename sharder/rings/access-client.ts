import type {
  ApiClient,
  Form,
  ListOptions,
  RequestOptions,
} from '@controller-sharding/shared/kube/api-client.ts';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import {
  type KubeObject,
  type ObjectRef,
  type PartialObject,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';
import { isMissingRight, type Verb } from './missing-rights.ts';

/** Who is told how requests ended. */
interface AccessObserver {
  wasRefused(resource: Resource, verb: Verb): boolean;
  answered(resource: Resource, verb: Verb, namespace: string | undefined): void;
  failed(resource: Resource, verb: Verb, namespace: string | undefined, error: unknown): void;
}

/** The client, with an observer; metadata that may not be read by name is read by a list. */
export function accessClient(client: ApiClient, access: AccessObserver): ApiClient {
  const observed = async <T>(
    resource: Resource,
    verb: Verb,
    namespace: string | undefined,
    request: () => Promise<T>,
  ): Promise<T> => {
    try {
      const result = await request();
      access.answered(resource, verb, namespace);
      return result;
    } catch (error) {
      access.failed(resource, verb, namespace, error);
      throw error;
    }
  };
  const listPage: ApiClient['listPage'] = (resource, form, options) =>
    observed(resource, 'list', options.namespace, () => client.listPage(resource, form, options));

  async function* list<T extends KubeObject>(resource: Resource, form: Form, options?: ListOptions) {
    try {
      for await (const page of client.list<T>(resource, form, options)) {
        access.answered(resource, 'list', options?.namespace);
        yield page;
      }
    } catch (error) {
      access.failed(resource, 'list', options?.namespace, error);
      throw error;
    }
  }

  async function getMetadata(
    resource: Resource,
    ref: ObjectRef,
    options?: RequestOptions,
  ): Promise<PartialObject> {
    if (!access.wasRefused(resource, 'get')) {
      try {
        const get = () => client.getMetadata(resource, ref, options);
        return await observed(resource, 'get', ref.namespace, get);
      } catch (error) {
        if (!isMissingRight(error)) throw error;
      }
    }
    const selected = { ...options, namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` };
    const { items } = await listPage<PartialObject>(resource, 'metadata', selected);
    const [found] = items;
    if (found) return found;
    throw new ApiError(404, 'NotFound', `${resourceName(resource)} "${ref.name}" not found`);
  }

  const patched = <T>(resource: Resource, ref: ObjectRef, request: () => Promise<T>): Promise<T> =>
    observed(resource, 'patch', ref.namespace, request);

  return {
    get: (resource, ref, options) => client.get(resource, ref, options),
    getMetadata,
    listPage,
    list,
    async *watch(resource, form, options) {
      const onOpen = (): void => {
        access.answered(resource, 'watch', options.namespace);
        options.onOpen?.();
      };
      try {
        yield* client.watch(resource, form, { ...options, onOpen });
      } catch (error) {
        access.failed(resource, 'watch', options.namespace, error);
        throw error;
      }
    },
    create: (resource, object, options) => client.create(resource, object, options),
    update: (resource, object, options) => client.update(resource, object, options),
    updateStatus: (resource, object, options) => client.updateStatus(resource, object, options),
    patch: (resource, ref, patch, options) =>
      patched(resource, ref, () => client.patch(resource, ref, patch, options)),
    patchMetadata: (resource, ref, patch, options) =>
      patched(resource, ref, () => client.patchMetadata(resource, ref, patch, options)),
    patchStatus: (resource, ref, patch, options) => client.patchStatus(resource, ref, patch, options),
    delete: (resource, ref, options) => client.delete(resource, ref, options),
  };
}
