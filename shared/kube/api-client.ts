import type { KubeObject, ObjectRef, PartialObject, Resource, TypedResource } from './types.ts';

export interface RequestOptions {
  signal?: AbortSignal | undefined;
  /**
   * Deadline of the whole request in ms. The client resets the connection then, and the API server is told the same
   * (`timeout` parameter), so that the request ends there, too. Default 10,000.
   */
  timeoutMs?: number | undefined;
  /**
   * Waits neither for the requests in flight nor for the client's rate limit: for the few on which the process lives,
   * as the renewal of its Lease.
   */
  priority?: boolean | undefined;
}

export interface DeleteOptions extends RequestOptions {
  /** Preconditions; 409 when the object has others. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  /** What becomes of the objects that it owns. Default: as the resource has it, mostly `Background`. */
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
}

export interface ListOptions extends RequestOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Objects per page. Default: 500 in one page; in a list, few at first, then by their size, at most 1,000. */
  limit?: number | undefined;
}

export interface ListPage<T> {
  items: T[];
  resourceVersion: string;
  /** Token for the next page; undefined on the last. */
  continue: string | undefined;
}

export interface WatchOptions {
  signal: AbortSignal;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  resourceVersion?: string | undefined;
  /** Ask for the present objects first (WatchList), ended by a bookmark annotated `k8s.io/initial-events-end`. */
  sendInitialEvents?: boolean | undefined;
  timeoutSeconds: number;
  /** Called once, when the API server has accepted the watch; events may still be long in coming. */
  onOpen?: (() => void) | undefined;
}

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; resourceVersion: string; initialEventsEnd: boolean };

export type JsonPatchOperation =
  | { op: 'test' | 'add' | 'replace'; path: string; value: unknown }
  | { op: 'remove'; path: string };

export type Patch =
  | { type: 'json'; operations: JsonPatchOperation[] }
  | { type: 'merge'; body: unknown }
  /** Lists of built-in kinds are merged by their keys; custom resources refuse it (415). */
  | { type: 'strategic'; body: unknown }
  | { type: 'apply'; body: KubeObject; fieldManager: string; force?: boolean };

/** `full`: the object as it is; `metadata`: only its metadata travels. */
export type Form = 'full' | 'metadata';

/**
 * Typed access to the API server. Every method throws ApiError when the server refused, TransportError when there
 * was no answer, and the signal's reason when aborted. `*Metadata` variants transfer only metadata.
 * Objects that were read say the apiVersion and kind of the resource asked for (in lists, and where only metadata was
 * transferred, too), and have no managedFields.
 */
export interface ApiClient {
  get<T extends KubeObject>(resource: TypedResource<T>, ref: ObjectRef, options?: RequestOptions): Promise<T>;
  getMetadata(resource: Resource, ref: ObjectRef, options?: RequestOptions): Promise<PartialObject>;
  /** One page; `continueToken` from the page before. */
  listPage<T extends KubeObject>(
    resource: TypedResource<T>,
    form: Form,
    options: ListOptions & { continueToken?: string | undefined },
  ): Promise<ListPage<T>>;
  /** All pages, one after the other: a consistent snapshot. Throws ApiError 410 when the snapshot expired under way. */
  list<T extends KubeObject>(
    resource: TypedResource<T>,
    form: Form,
    options?: ListOptions,
  ): AsyncGenerator<ListPage<T>>;
  watch<T extends KubeObject>(
    resource: TypedResource<T>,
    form: Form,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>>;
  create<T extends KubeObject>(resource: TypedResource<T>, object: T, options?: RequestOptions): Promise<T>;
  /** Replaces the object; its resourceVersion, if set, is a precondition. */
  update<T extends KubeObject>(resource: TypedResource<T>, object: T, options?: RequestOptions): Promise<T>;
  updateStatus<T extends KubeObject>(
    resource: TypedResource<T>,
    object: T,
    options?: RequestOptions,
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: TypedResource<T>,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T>;
  /** As `patch`; only the metadata of the result is sent back. */
  patchMetadata(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<PartialObject>;
  patchStatus<T extends KubeObject>(
    resource: TypedResource<T>,
    ref: ObjectRef,
    patch: Patch,
    options?: RequestOptions,
  ): Promise<T>;
  delete(resource: Resource, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
}

/** Finds what the API server serves for a group and resource; asks again when it is unknown. */
export interface RestMapper {
  /** Throws TransportError `KUBE_UNKNOWN_RESOURCE` when the API server doesn't serve it (now). */
  resource(group: string, resource: string): Promise<Resource>;
}
