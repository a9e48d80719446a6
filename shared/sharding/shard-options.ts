import type { ControllerOptions } from '../controller/controller.ts';
import type { Outcome } from '../controller/outcome.ts';
import type { Source } from '../controller/predicate.ts';
import type { ApiClient } from '../kube/api-client.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/types.ts';
import type { ControllerMetrics } from '../metrics/controller.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { OwnerWriter } from './fenced-writer.ts';
import type { ShardObserver } from './shard-event.ts';

export interface ReconcileRequest<Main extends KubeObject> {
  /** From the cache; don't change it. */
  object: Main;
  /** Writes for this object; refused once the shard may have lost it. */
  writer: OwnerWriter;
  /**
   * The known controlled objects of this one, at any depth. One that is missing here may exist all the same: read it
   * live.
   */
  controlled(resource: Resource): KubeObject[];
  signal: AbortSignal;
}

/** What a shard does with the objects of one resource. Several may be about the same objects. */
export interface ShardController<Main extends KubeObject>
  extends Pick<
    ControllerOptions<string>,
    'name' | 'concurrency' | 'rateLimit' | 'reconcileTimeoutMs' | 'stopTimeoutMs'
  > {
  /** The resource whose objects are reconciled. */
  for: Source<Main>;
  /**
   * Resources of the objects that a reconcile creates, and of those that they control in turn. A change of one
   * reconciles the nearest object above it that this controller is for, and all of them are handed over with it.
   */
  owns: readonly Source[];
  /** Brings about what the object asks for. A throw is retried with a growing delay. */
  reconcile(request: ReconcileRequest<Main>): Promise<Outcome | void>;
}

export interface ShardOptions {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  ring: string;
  /** Name of this shard: of its Lease, and the value of the label on its objects. With `slots`, it has none before. */
  shard: string;
  /**
   * Takes one of the ring's slots (`<ring>-0`, `<ring>-1`, …) as its name, as many as the workload of this pod has
   * replicas; a pod of a StatefulSet its own name. What is handed over in a rolling update moves nothing.
   */
  slots?: { pod: ObjectRef } | undefined;
  leaseNamespace: string;
  /** The pod's uid: the same after a restart of the container, another one in another pod of the same name. */
  identity: string;
  /**
   * How long the resources may take until they can be read, and then until the caches have synced, in ms. Default 120,000.
   */
  syncTimeoutMs?: number | undefined;
  random?: (() => number) | undefined;
  observer?: ShardObserver | undefined;
  metrics?: ControllerMetrics | undefined;
}
