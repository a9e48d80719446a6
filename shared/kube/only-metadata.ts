import type { Form } from './api-client.ts';
import { type PartialObject, type Resource, resourceName, type TypedResource } from './types.ts';

/** A resource of whose objects a cache is to hold the metadata alone. */
export interface MetadataResource extends TypedResource<PartialObject> {
  readonly form: 'metadata';
}

/**
 * For `for`, `owns`, `watch` and caches: of the resource's objects only kind and metadata are received and kept. What a
 * Secret holds, say, then needs no memory; what a reconcile needs of it, it reads live.
 */
export const onlyMetadata = ({ group, version, resource, kind, namespaced }: Resource): MetadataResource => ({
  group,
  version,
  resource,
  kind,
  namespaced,
  form: 'metadata',
});

export const formOf = (resource: Resource): Form =>
  'form' in resource && resource.form === 'metadata' ? 'metadata' : 'full';

/** What is cached of each resource: whole objects, if any user of the cache asks for them. */
export class CachedForms {
  readonly #resources = new Map<string, Resource>();

  add(resource: Resource): void {
    const name = resourceName(resource);
    const known = this.#resources.get(name);
    if (known === undefined || formOf(known) === 'metadata') this.#resources.set(name, resource);
  }

  has(resource: Resource): boolean {
    return this.#resources.has(resourceName(resource));
  }

  of(resource: Resource): Resource {
    return this.#resources.get(resourceName(resource)) ?? resource;
  }
}
