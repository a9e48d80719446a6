import type { ApiClient, RequestOptions } from '../kube/api-client.ts';

/**
 * A client whose writes begin only while a Lease is surely held, and end before others may hold it (`WriteFence`).
 *
 * @param permit how long a write that begins now may take, in ms; throws FencedError, as the write then does, when
 *   none may begin
 */
export function fencedClient(client: ApiClient, permit: () => number): ApiClient {
  const fenced = <O extends RequestOptions>(options?: O): O & { timeoutMs: number } => {
    const permittedMs = permit();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without options there are none to keep
    const given = options ?? ({} as O);
    return { ...given, timeoutMs: Math.min(permittedMs, given.timeoutMs ?? permittedMs) };
  };
  return {
    get: (resource, ref, options) => client.get(resource, ref, options),
    getMetadata: (resource, ref, options) => client.getMetadata(resource, ref, options),
    listPage: (resource, form, options) => client.listPage(resource, form, options),
    list: (resource, form, options) => client.list(resource, form, options),
    watch: (resource, form, options) => client.watch(resource, form, options),
    create: async (resource, object, options) => client.create(resource, object, fenced(options)),
    update: async (resource, object, options) => client.update(resource, object, fenced(options)),
    updateStatus: async (resource, object, options) => client.updateStatus(resource, object, fenced(options)),
    patch: async (resource, ref, patch, options) => client.patch(resource, ref, patch, fenced(options)),
    patchMetadata: async (resource, ref, patch, options) =>
      client.patchMetadata(resource, ref, patch, fenced(options)),
    patchStatus: async (resource, ref, patch, options) =>
      client.patchStatus(resource, ref, patch, fenced(options)),
    delete: async (resource, ref, options) => client.delete(resource, ref, fenced(options)),
  };
}
