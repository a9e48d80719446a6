import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isAlreadyExists } from '@controller-sharding/shared/kube/errors.ts';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, TypedResource } from '@controller-sharding/shared/kube/types.ts';
import { themes, websites } from '../resources.ts';
import type { Samples } from './samples.ts';

/** Requests under way at once. */
const concurrency = 20;

/** Creates what isn't there yet; what is there stays as it is. Returns how many objects it created. */
export async function createSamples(
  client: Pick<ApiClient, 'create'>,
  samples: Samples,
  signal: AbortSignal,
): Promise<number> {
  const create = async <T extends KubeObject>(
    resource: TypedResource<T>,
    objects: Iterable<T>,
  ): Promise<number> => {
    // All take from the same iterator.
    const left = Iterator.from(objects);
    let created = 0;
    const work = async (): Promise<void> => {
      for (const object of left) {
        signal.throwIfAborted();
        try {
          await client.create(resource, object, { signal });
          created += 1;
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return created;
  };
  return (
    (await create(namespaces, samples.namespaces)) +
    (await create(themes, samples.themes)) +
    (await create(websites, samples.websites()))
  );
}
