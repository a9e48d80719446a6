import { isNotFound } from '../kube/errors.ts';
import type { KubeObject, TypedResource } from '../kube/types.ts';
import type { OwnerWriter } from '../sharding/fenced-writer.ts';

type Writer = Pick<OwnerWriter, 'patch'>;

export const hasFinalizer = ({ metadata }: KubeObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) ?? false;

/**
 * Keeps an object that was read from going before `removeFinalizer`: to be awaited before anything is made for it that
 * nobody else removes. Writes nothing where the finalizer is there. Throws ApiError 409 when the object has changed.
 */
export async function addFinalizer<T extends KubeObject>(
  client: Writer,
  resource: TypedResource<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  if (hasFinalizer(object, finalizer)) return object;
  return write(client, resource, object, [...(object.metadata.finalizers ?? []), finalizer]);
}

/** Once what was made for the object is gone. Writes nothing where there is no such finalizer, or object, any more. */
export async function removeFinalizer<T extends KubeObject>(
  client: Writer,
  resource: TypedResource<T>,
  object: T,
  finalizer: string,
): Promise<void> {
  if (!hasFinalizer(object, finalizer)) return;
  const others = object.metadata.finalizers?.filter((each) => each !== finalizer) ?? [];
  try {
    await write(client, resource, object, others);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Nobody else's finalizer is lost: the resourceVersion is a precondition. */
const write = <T extends KubeObject>(
  client: Writer,
  resource: TypedResource<T>,
  { metadata }: T,
  finalizers: string[],
): Promise<T> => {
  const { uid, resourceVersion } = metadata;
  return client.patch(resource, metadata, {
    type: 'merge',
    body: { metadata: { uid, resourceVersion, finalizers } },
  });
};
