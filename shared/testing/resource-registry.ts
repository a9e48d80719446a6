import type { RestMapper } from '../kube/api-client.ts';
import { TransportError } from '../kube/errors.ts';
import { type Resource, resourceName } from '../kube/types.ts';
import { builtInResources } from './built-in-resources.ts';
import { builtInLists, type ListKeys, metadataLists } from './list-keys.ts';
import type { NameRule } from './metadata-validation.ts';
import { notServed } from './status-errors.ts';

/** A custom resource, as its CustomResourceDefinition would declare it. */
export interface CustomResource extends Resource {
  /** The status is written by `updateStatus` and `patchStatus` alone. Default false. */
  statusSubresource?: boolean | undefined;
  /** Lists that server-side apply merges item by item (`'status.conditions': ['type']`). Others are replaced whole. */
  lists?: ListKeys | undefined;
}

/** How the API server treats the objects of a resource. */
export interface ServedResource extends Resource {
  builtIn: boolean;
  statusSubresource: boolean;
  /** `metadata.generation` counts the changes outside metadata and status. */
  generation: boolean;
  /** An update may leave out the resourceVersion. */
  unconditionalUpdate: boolean;
  /** An update of what doesn't exist creates it. */
  createOnUpdate: boolean;
  nameRule: NameRule;
  lists: ListKeys;
}

/** What an API server serves. */
export class ResourceRegistry implements RestMapper {
  readonly #served = new Map<string, ServedResource>();

  constructor() {
    for (const [group, version, resource, kind, scope, traits] of builtInResources) {
      this.#add({
        group,
        version,
        resource,
        kind,
        namespaced: scope === 'namespaced',
        builtIn: true,
        statusSubresource: traits.includes('status'),
        generation: traits.includes('generation'),
        unconditionalUpdate: !traits.includes('versioned'),
        createOnUpdate: traits.includes('create-on-update'),
        nameRule: traits.includes('label-name') ? 'label' : 'subdomain',
        lists: builtInLists,
      });
    }
  }

  register({
    group,
    version,
    resource,
    kind,
    namespaced,
    statusSubresource = false,
    lists,
  }: CustomResource): void {
    this.#add({
      group,
      version,
      resource,
      kind,
      namespaced,
      builtIn: false,
      statusSubresource,
      generation: true,
      unconditionalUpdate: false,
      createOnUpdate: false,
      nameRule: 'subdomain',
      lists: { ...metadataLists, ...lists },
    });
  }

  /** Throws ApiError 404 when the resource is not served in this version. */
  served(resource: Resource): ServedResource {
    const found = this.#served.get(resourceName(resource));
    if (!found || found.version !== resource.version) throw notServed();
    return found;
  }

  /** By what owner references say. */
  byKind(apiVersion: string, kind: string): ServedResource | undefined {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    return [...this.#served.values()].find((served) => served.group === group && served.kind === kind);
  }

  async resource(group: string, resource: string): Promise<Resource> {
    const name = resourceName({ group, resource });
    const found = this.#served.get(name);
    if (!found) throw new TransportError('KUBE_UNKNOWN_RESOURCE', `the API server does not serve ${name}`);
    const { version, kind, namespaced } = found;
    return { group, version, resource, kind, namespaced };
  }

  #add(served: ServedResource): void {
    this.#served.set(resourceName(served), served);
  }
}
