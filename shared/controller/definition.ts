import type { ReconcileClient } from '../author/reconcile-client.ts';
import type { KubeObject, ObjectRef, Resource, TypedResource } from '../kube/types.ts';
import type { ControllerOptions } from './controller.ts';
import type { Outcome } from './outcome.ts';
import type { Predicate, Source } from './predicate.ts';

/** What a reconcile is to look at. */
export interface Request<T extends KubeObject> {
  /** `namespace/name`, or `name` for cluster-scoped objects. */
  key: string;
  name: string;
  namespace: string | undefined;
  /** From the cache; all share it: change a copy (`structuredClone`). */
  object: T;
  /** All writes of the reconcile go through it. What it creates for the object goes to the object's shard. */
  client: ReconcileClient;
  /**
   * The objects of an owned resource below this one that the cache holds, at any depth. One that is missing here may
   * exist all the same: read it live.
   */
  owned<C extends KubeObject>(resource: TypedResource<C>): C[];
}

/** A resource by which other objects than its own are reconciled; `watch` makes it. */
export interface Watch {
  source: Source;
  /** Which objects of the controller's resource an object concerns. */
  map(object: KubeObject): Iterable<ObjectRef>;
}

export interface ControllerDefinition<T extends KubeObject>
  extends Pick<ControllerOptions<string>, 'name' | 'concurrency' | 'rateLimit' | 'reconcileTimeoutMs'> {
  /** The resource whose objects are reconciled. */
  for: TypedResource<T>;
  /** Which of their changes count. Default: all. */
  predicates?: readonly Predicate<T>[] | undefined;
  /**
   * Resources of the objects that a reconcile creates (with `controllerReference`), and of those that they control in
   * turn. A change of one reconciles the nearest object above it that the controller is for.
   */
  owns?: readonly (Resource | Source)[] | undefined;
  watches?: readonly Watch[] | undefined;
  /** False: as if the manager had no `shard`: for all objects, on the leader if one is elected, else on every replica. Default: true. */
  sharded?: boolean | undefined;
  /**
   * Brings about what the object asks for, whatever happened before. It is called only for objects that are there: what
   * is to be removed with an object is removed by owner references, or before it goes by a finalizer. As `Reconcile`.
   */
  reconcile(request: Request<T>, signal: AbortSignal): Promise<Outcome | void>;
}

/**
 * A change of any of these objects reconciles those that `map` names. Every shard watches all of them (such as a Theme
 * that many Websites share), unless one of the manager's sharded controllers is for them or owns them.
 */
export const watch = <T extends KubeObject>(
  resource: TypedResource<T>,
  map: (object: T) => Iterable<ObjectRef>,
  { predicates }: { predicates?: readonly Predicate<T>[] } = {},
): Watch =>
  // The objects are those of the resource.
  ({ source: { resource, predicates }, map });

export const sourceOf = (owned: Resource | Source): Source => ('kind' in owned ? { resource: owned } : owned);
