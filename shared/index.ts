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
export * from './kube/resources.ts';
export * from './kube/types.ts';

// Caches

export { Informer, type InformerOptions } from './kube/informer.ts';
export type { HandlerRegistration, InformerHandler } from './kube/informer-handlers.ts';
export { type Selection, type SharedInformer, SharedInformers } from './kube/shared-informers.ts';
export type { ReadonlyStore } from './kube/store.ts';
export type { IndexFunction } from './kube/store-index.ts';

// Work

export { Controller, type ControllerOptions, type Reconcile } from './controller/controller.ts';
export { type Outcome, ReconcileTimeoutError, TerminalError } from './controller/outcome.ts';
export { EventRecorder, type EventRecorderOptions, type ObjectEvent } from './events/event-recorder.ts';
export type { LeaderElectionOptions } from './manager/leadership.ts';
export { Manager, type ManagerOptions, StopTimeoutError, SyncTimeoutError } from './manager/manager.ts';
export type { Runnable, Stage } from './manager/runnable.ts';
export { DelayingQueue } from './queue/delaying-queue.ts';
export { RateLimitingQueue, type RateLimitOptions } from './queue/rate-limiting-queue.ts';
export { lowPriority, type QueueObserver, WorkQueue } from './queue/work-queue.ts';

// Leader election

export { type HeldLease, type HeldLeaseOptions, LeaseLostError } from './lease/held-lease.ts';
export { becomeLeader } from './lease/leader-election.ts';
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
export type { ControllerRing } from './sharding/controller-ring.ts';
export type { OwnerWriter } from './sharding/fenced-writer.ts';
export { Shard } from './sharding/shard.ts';
export type { ShardEvent, ShardObserver } from './sharding/shard-event.ts';
export type { ReconcileRequest, ShardOptions } from './sharding/shard-options.ts';
export { type ShardProgram, shardProcess } from './sharding/shard-process.ts';

// The process

export { type ControllerMetrics, controllerMetrics } from './metrics/controller.ts';
export { createRegistry } from './metrics/registry.ts';
export { type Clock, systemClock } from './runtime/clock.ts';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './runtime/logger.ts';
export { runProcess, StopError, UsageError } from './runtime/process.ts';
export { type Health, type OpsServer, type OpsServerOptions, startOpsServer } from './server/ops-server.ts';
