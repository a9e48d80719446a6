import type { ApiClient, RequestOptions } from '../kube/api-client.ts';
import { isNotFound } from '../kube/errors.ts';
import {
  controllerOf,
  type KubeObject,
  type ObjectRef,
  objectKey,
  type Resource,
  resourceName,
  type TypedResource,
} from '../kube/types.ts';
import type { OwnerWriter } from '../sharding/fenced-writer.ts';
import { type AppliedObjects, wantedOf } from './applied-objects.ts';
import { canonical } from './canonical.ts';

type Reads = Pick<ApiClient, 'get' | 'getMetadata' | 'list' | 'listPage'>;
type WithStatus = KubeObject & { status?: unknown };

/** An object that is to be applied is there, and controlled by another owner, or by none: it was not touched. */
export class NotControlledError extends Error {
  override readonly name = 'NotControlledError';
  readonly code = 'NOT_CONTROLLED';
}

/** What a reconcile reads live, and all that it writes. A write ends before the reconcile does. */
export interface ReconcileClient extends Reads, OwnerWriter {
  /**
   * Makes an object have all that is desired, and no longer what was desired before and isn't any more (server-side
   * apply with force). Other fields are left alone. Nothing is written where nothing would change. An object that is
   * controlled by another owner, or by none, is not touched: NotControlledError. What somebody else changes or creates
   * meanwhile is not written over: ApiError 409. Without `status`; for that there is `setStatus`.
   */
  apply<T extends KubeObject>(resource: TypedResource<T>, desired: T): Promise<T>;
  /**
   * Gives an object that was read this status, unless it has it. Throws ApiError 409 when the object has changed
   * meanwhile: the next reconcile sees the change.
   */
  setStatus<T extends WithStatus>(
    resource: TypedResource<T>,
    object: T,
    status: NonNullable<T['status']>,
  ): Promise<T>;
}

export interface ReconcileClientOptions {
  /** What is reconciled. */
  object: KubeObject;
  client: Reads;
  writer: OwnerWriter;
  signal: AbortSignal;
  applied: AppliedObjects;
  /** What a cache holds of an object, if there is a cache of its resource. */
  cached(resource: Resource, key: string): KubeObject | undefined;
}

export function reconcileClient(options: ReconcileClientOptions): ReconcileClient {
  const { object: main, client, writer, signal, applied, cached } = options;
  const aborted = <O extends RequestOptions>(given?: O): O & { signal: AbortSignal } =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without options there are none to keep
    ({ signal, ...given }) as O & { signal: AbortSignal };

  const find = async <T extends KubeObject>(
    resource: TypedResource<T>,
    ref: ObjectRef,
  ): Promise<T | undefined> => {
    const known = cached(resource, objectKey(ref));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the resource says what its objects are
    if (known !== undefined) return applied.newest(known as T);
    try {
      return await client.get<T>(resource, ref, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  /** What the next reconcile, or another write of this one, would not see in the cache yet. */
  const noting = async <T extends KubeObject>(writing: Promise<T>): Promise<T> => {
    const written = await writing;
    if (written.metadata.uid === main.metadata.uid) applied.wrote(main, written);
    return written;
  };

  return {
    get: (resource, ref, given) => client.get(resource, ref, aborted(given)),
    getMetadata: (resource, ref, given) => client.getMetadata(resource, ref, aborted(given)),
    list: (resource, form, given) => client.list(resource, form, aborted(given)),
    listPage: (resource, form, given) => client.listPage(resource, form, aborted(given)),
    create: (resource, object) => writer.create(resource, object),
    update: (resource, object) => noting(writer.update(resource, object)),
    updateStatus: (resource, object) => noting(writer.updateStatus(resource, object)),
    patch: (resource, ref, patch) => noting(writer.patch(resource, ref, patch)),
    patchStatus: (resource, ref, patch) => noting(writer.patchStatus(resource, ref, patch)),
    delete: (resource, ref, preconditions) => writer.delete(resource, ref, preconditions),
    async apply(resource, desired) {
      const found = await find(resource, desired.metadata);
      refuseTheft(resource, desired, found);
      const wanted = wantedOf(resource, desired);
      if (found !== undefined && applied.isApplied(wanted, found)) return found;
      const written = await writer.patch(resource, desired.metadata, applied.patch(wanted, found));
      applied.applied(wanted, found, written);
      return written;
    },
    async setStatus(resource, object, status) {
      const newest = applied.newest(object);
      if (canonical(newest.status ?? {}) === canonical(status)) return newest;
      return noting(writer.updateStatus(resource, { ...newest, status }));
    },
  };
}

/** What somebody else made, and an object of the same name that another one controls, stay as they are. */
function refuseTheft(resource: Resource, desired: KubeObject, found: KubeObject | undefined): void {
  const controller = controllerOf(desired);
  if (found === undefined || controller === undefined) return;
  const present = controllerOf(found);
  if (present?.uid === controller.uid) return;
  const whose = present === undefined ? 'nobody controls it' : `${present.kind} ${present.name} controls it`;
  throw new NotControlledError(
    `${resourceName(resource)} ${objectKey(desired.metadata)} exists, and ${whose}: not touched`,
  );
}
