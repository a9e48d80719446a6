import type { ApiClient } from '../kube/api-client.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
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

export interface ShardOptions<Main extends KubeObject> {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  ring: string;
  /** Name of this shard: of its Lease, and the value of the label on its objects. */
  shard: string;
  leaseNamespace: string;
  /** The pod's uid: the same after a restart of the container, another one in another pod of the same name. */
  identity: string;
  /** The resource whose objects are reconciled. */
  main: Resource;
  /**
   * Resources of the objects that a reconcile creates, and of those that they control in turn. A change of one
   * reconciles the main object at the top of its controllers, and all of them are handed over with it.
   */
  controlled: Resource[];
  /** Brings about what the object asks for. A throw is retried with a growing delay. */
  reconcile(request: ReconcileRequest<Main>): Promise<void>;
  /** How many objects are worked on at once. Default 5. */
  concurrency?: number | undefined;
  observer?: ShardObserver | undefined;
  metrics?: ControllerMetrics | undefined;
}
