/** For tests of controllers: an API server in memory, and a clock that goes on when it is told to. */

export type {
  AdmissionOperation,
  AdmissionRequest,
  AdmissionResponse,
  MutatingWebhook,
} from './admission.ts';
export { type ApiRequest, connectionError, type Fault, timeoutError } from './api-faults.ts';
export { FakeClock } from './fake-clock.ts';
export type { LabelSelector } from './label-selector.ts';
export type { ListKeys, ListType } from './list-keys.ts';
export { MemoryApi, type MemoryApiOptions } from './memory-api.ts';
export type { ClientOptions, MemoryClient } from './memory-client.ts';
export type { CustomResource } from './resource-registry.ts';
export type { WatchInfo } from './watcher.ts';
