import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { ApiClient } from '../kube/api-client.ts';
import { controllerMetrics } from '../metrics/controller.ts';
import type { Address } from '../runtime/address.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ShardOptions } from '../sharding/shard-options.ts';
import type { LeaderElectionOptions } from './leadership.ts';

export interface ManagerOptions {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  /** Gets the metrics of controllers, queues and leader election. */
  registry?: Registry | undefined;
  /** Where /healthz and /readyz are served, as in `parseAddress`. Default: nowhere. */
  healthAddress?: string | Address | undefined;
  /** Where /metrics is served. Default: nowhere. */
  metricsAddress?: string | Address | undefined;
  /**
   * /metrics by HTTPS, and only for users who may `get` it (nonResourceURLs), which takes the rights of the ClusterRole
   * `system:auth-delegator`. Default: by HTTP, for all who reach the port.
   */
  secureMetrics?: boolean | undefined;
  /** Of several processes only one works, the others wait. Default: each one works. */
  leaderElection?: LeaderElectionOptions | undefined;
  /**
   * With it, the controllers are sharded: each is for the objects of this shard alone. Of several processes that have the
   * same ring and names of their own all work.
   */
  shard?: ShardMembership | undefined;
  /** Field manager of what is applied, reporter of Events. Default: name of the ring, or of the leader's Lease. */
  name?: string | undefined;
  /** From 0 to 1, for jitter. Default: Math.random. */
  random?: (() => number) | undefined;
  /** How long the caches may take until they have synced, in ms. Default 120,000. */
  syncTimeoutMs?: number | undefined;
  /** How long all may take to end after the stop, in ms. Default 30,000. */
  stopTimeoutMs?: number | undefined;
}

export interface ShardMembership extends Pick<ShardOptions, 'ring' | 'slots' | 'observer'> {
  /** Of this shard, unique in its ring. */
  name: string;
  /** Of its Lease. */
  namespace: string;
  /** Tells two processes of one name apart. Default: $POD_UID, else random. */
  identity?: string | undefined;
}

/** Something didn't end in time after the stop, and may still be at work. */
export class StopTimeoutError extends Error {
  override readonly name = 'StopTimeoutError';
  readonly code = 'STOP_TIMEOUT';
}

/** The membership with what the manager has for all. */
export const shardOptions = (
  { client, clock, logger, registry, random, syncTimeoutMs }: ManagerOptions,
  { name, namespace, identity, ...membership }: ShardMembership,
): ShardOptions => ({
  ...membership,
  client,
  clock,
  logger,
  random,
  syncTimeoutMs,
  shard: name,
  leaseNamespace: namespace,
  identity: identity ?? process.env['POD_UID'] ?? randomUUID(),
  metrics: registry && controllerMetrics(registry),
});
