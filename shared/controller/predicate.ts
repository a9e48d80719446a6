import type { InformerHandler } from '../kube/informer-handlers.ts';
import type { KubeObject, Resource } from '../kube/types.ts';

/** Which changes of objects count; what it leaves out counts always. */
export interface Predicate<T extends KubeObject = KubeObject> {
  added?(object: T): boolean;
  updated?(old: T, now: T): boolean;
  deleted?(last: T): boolean;
}

/** A resource of which a controller hears, and which changes of it count: those on which all predicates agree. */
export interface Source<T extends KubeObject = KubeObject> {
  resource: Resource;
  predicates?: readonly Predicate<T>[] | undefined;
}

/** Only changes of what is wanted count: not those of status, labels or annotations. */
export const generationChanged: Predicate = {
  updated: (old, now) => old.metadata.generation !== now.metadata.generation,
};

/** Tells the handler only of what counts. */
export function filtered<T extends KubeObject>(
  handler: InformerHandler<T>,
  predicates: readonly Predicate<T>[] = [],
): InformerHandler<T> {
  if (predicates.length === 0) return handler;
  return {
    added(object, isInInitialList) {
      if (predicates.every((predicate) => predicate.added?.(object) ?? true))
        handler.added?.(object, isInInitialList);
    },
    updated(old, now) {
      if (predicates.every((predicate) => predicate.updated?.(old, now) ?? true)) handler.updated?.(old, now);
    },
    deleted(last) {
      if (predicates.every((predicate) => predicate.deleted?.(last) ?? true)) handler.deleted?.(last);
    },
  };
}
