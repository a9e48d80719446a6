/** What a controller's author works with. For tests there is `@controller-sharding/shared/testing`. */

// The API server

export type {
  ApiClient,
  DeleteOptions,
  Form,
  JsonPatchOperation,
  ListOptions,
  ListPage,
  Patch,
  RequestOptions,
  RestMapper,
  WatchEvent,
  WatchOptions,
} from './kube/api-client.ts';
export type { KubeClient } from './kube/client.ts';
export { type Connection, type ConnectOptions, connect } from './kube/connect.ts';
export * from './kube/errors.ts';
export { type MetadataResource, onlyMetadata } from './kube/only-metadata.ts';
export * from './kube/resources.ts';
export * from './kube/types.ts';

// Caches

export { Informer, type InformerOptions } from './kube/informer.ts';
export type { HandlerRegistration, InformerHandler } from './kube/informer-handlers.ts';
export { type Selection, type SharedInformer, SharedInformers } from './kube/shared-informers.ts';
export type { ReadonlyStore } from './kube/store.ts';
export type { IndexFunction } from './kube/store-index.ts';
export { SyncTimeoutError } from './kube/sync-timeout.ts';

// An operator

export { setCondition } from './author/conditions.ts';
export { addFinalizer, hasFinalizer, removeFinalizer } from './author/finalizers.ts';
export { NotControlledError, type ReconcileClient } from './author/reconcile-client.ts';
export { controllerReference } from './author/references.ts';
export { type ControllerDefinition, type Request, type Watch, watch } from './controller/definition.ts';
export { type Outcome, ReconcileTimeoutError, TerminalError } from './controller/outcome.ts';
export { generationChanged, type Predicate, type Source } from './controller/predicate.ts';
export type { EventSink, ObjectEvent } from './events/event-recorder.ts';
export type { Cache, CacheOptions } from './manager/late-cache.ts';
export type { LeaderElectionOptions } from './manager/leadership.ts';
export { Manager } from './manager/manager.ts';
export { type ManagerOptions, type ShardMembership, StopTimeoutError } from './manager/manager-options.ts';
export type { FlagValues, ProgramFlag, ProgramFlags } from './manager/program-flags.ts';
export { type Operator, type OperatorProgram, runOperator } from './manager/run-operator.ts';
export type { Runnable, Stage } from './manager/runnable.ts';

// Work

export { Controller, type ControllerOptions, type Reconcile } from './controller/controller.ts';
export { EventRecorder, type EventRecorderOptions } from './events/event-recorder.ts';
export { DelayingQueue } from './queue/delaying-queue.ts';
export { RateLimitingQueue, type RateLimitOptions } from './queue/rate-limiting-queue.ts';
export { lowPriority, type QueueObserver, WorkQueue } from './queue/work-queue.ts';

// Leader election

export { type HeldLease, type HeldLeaseOptions, LeaseLostError } from './lease/held-lease.ts';
export { becomeLeader } from './lease/leader-election.ts';
export { microTime } from './lease/lease.ts';
export type { LeaseClaim } from './lease/lease-claim.ts';
export { FencedError, type WriteFence } from './lease/write-fence.ts';

// Shards

export {
  controllerRingKind,
  cordonedAnnotation,
  drainAnnotation,
  drainLabel,
  identityAnnotation,
  invalidRingName,
  invalidShardName,
  isShardingLabel,
  pinLabel,
  ringLabel,
  sharderNamespace,
  shardingGroup,
  shardLabel,
  stateLabel,
  weightAnnotation,
} from './sharding/contract.ts';
export type { Condition, ControllerRing } from './sharding/controller-ring.ts';
export type { OwnerWriter } from './sharding/fenced-writer.ts';
export type { ShardEvent, ShardObserver } from './sharding/shard-event.ts';

// The process

export { type ControllerMetrics, controllerMetrics } from './metrics/controller.ts';
export { createRegistry } from './metrics/registry.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './runtime/logger.ts';
export { runProcess, StopError, UsageError } from './runtime/process.ts';
export { type Health, type OpsServer, type OpsServerOptions, startOpsServer } from './server/ops-server.ts';
