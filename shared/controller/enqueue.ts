import type { InformerHandler } from '../kube/informer-handlers.ts';
import { controllerOf, type KubeObject, objectKey, type Resource, refersTo } from '../kube/types.ts';
import { lowPriority } from '../queue/work-queue.ts';
import type { Controller } from './controller.ts';

type Queue = Pick<Controller<string>, 'enqueue'>;

/**
 * Enqueues what `keys` says for each object that was added, changed (as it was and as it is) or deleted. What is there
 * at the start goes behind what happens meanwhile.
 */
export function enqueueMapped<T>(queue: Queue, keys: (object: T) => Iterable<string>): InformerHandler<T> {
  return {
    added(object, isInInitialList) {
      for (const key of keys(object)) queue.enqueue(key, isInInitialList ? lowPriority : undefined);
    },
    updated(old, now) {
      for (const key of new Set([...keys(old), ...keys(now)])) queue.enqueue(key);
    },
    deleted(last) {
      for (const key of keys(last)) queue.enqueue(key);
    },
  };
}

/** Enqueues the object itself: by namespace and name. */
export const enqueueObject = (queue: Queue): InformerHandler<KubeObject> =>
  enqueueMapped(queue, ({ metadata }) => [objectKey(metadata)]);

/** Enqueues the object's controller, if it is of that resource. */
export const enqueueController = (queue: Queue, owner: Resource): InformerHandler<KubeObject> =>
  enqueueMapped(queue, (object) => {
    const reference = controllerOf(object);
    if (reference === undefined || !refersTo(reference, owner)) return [];
    const { namespace } = object.metadata;
    return [objectKey({ name: reference.name, ...(owner.namespaced && { namespace }) })];
  });
