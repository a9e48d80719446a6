/** What of Kubernetes' object form this library itself reads and writes; an author's own types extend it. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export type Labels = Record<string, string>;

export interface ObjectMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Labels;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** An object of which only the metadata was read. */
export type PartialObject = KubeObject;

/** A resource as a ring or an author names it; the core group is ''. */
export interface GroupResource {
  group: string;
  resource: string;
}

/** A resource as the API server serves it (found by discovery). */
export interface Resource extends GroupResource {
  version: string;
  kind: string;
  namespaced: boolean;
}

/** A resource whose objects are of an author's own type; the type is known to the compiler alone. */
export interface TypedResource<T extends KubeObject> extends Resource {
  readonly objectType?: T;
}

export const defineResource = <T extends KubeObject>(resource: Resource): TypedResource<T> => resource;

export interface ObjectRef {
  namespace?: string | undefined;
  name: string;
}

/** `secrets`, or `deployments.apps`. */
export const resourceName = ({ group, resource }: GroupResource): string =>
  group === '' ? resource : `${resource}.${group}`;

export const apiVersionOf = ({ group, version }: Resource): string =>
  group === '' ? version : `${group}/${version}`;

/** `namespace/name`, or `name` for cluster-scoped objects: the key of caches and queues. */
export const objectKey = ({ namespace, name }: ObjectRef): string =>
  namespace ? `${namespace}/${name}` : name;

export function parseObjectKey(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The owner reference that says who controls the object; at most one has `controller: true`. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true);

/** Whether an owner reference names an object of the resource, in whatever version. */
export const refersTo = (
  { kind, apiVersion }: Pick<OwnerReference, 'kind' | 'apiVersion'>,
  resource: Resource,
): boolean =>
  kind === resource.kind && (apiVersion.includes('/') ? apiVersion.split('/')[0] : '') === resource.group;

/** Resource versions are decimal numbers that grow with each write, comparable within one API server. */
export const compareResourceVersions = (a: string, b: string): number => {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
};
