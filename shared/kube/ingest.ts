import { apiVersionOf, type KubeObject, type Resource } from './types.ts';

/**
 * Makes an object that has just been read what ApiClient promises: lists leave out the kind of their items, a
 * metadata-only answer says `PartialObjectMetadata`, and managedFields are of no use to a controller.
 */
export function ingestAs<T extends KubeObject>(resource: Resource): (object: T) => T {
  const apiVersion = apiVersionOf(resource);
  const { kind } = resource;
  return (object) => {
    object.apiVersion = apiVersion;
    object.kind = kind;
    if ('managedFields' in object.metadata) {
      // Copied instead of deleted from: deleting would turn the metadata into a slow and large dictionary.
      const { managedFields: _, ...metadata } = object.metadata;
      object.metadata = metadata;
    }
    return object;
  };
}
