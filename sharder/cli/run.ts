import { EventRecorder } from '@controller-sharding/shared/events/event-recorder.ts';
import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { firstContact } from '@controller-sharding/shared/kube/first-contact.ts';
import type { Resource } from '@controller-sharding/shared/kube/types.ts';
import type { HeldLease } from '@controller-sharding/shared/lease/held-lease.ts';
import { becomeLeader } from '@controller-sharding/shared/lease/leader-election.ts';
import { controllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import type { Address } from '@controller-sharding/shared/runtime/address.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { createLogger, type LogLevel } from '@controller-sharding/shared/runtime/logger.ts';
import { startOpsServer } from '@controller-sharding/shared/server/ops-server.ts';
import { shardingGroup } from '@controller-sharding/shared/sharding/contract.ts';
import { Membership } from '../membership/membership.ts';
import { sharderMetrics } from '../metrics/sharder-metrics.ts';
import { createHasher } from '../placement/rendezvous.ts';
import { Rings } from '../rings/rings.ts';
import { lead } from './lead.ts';
import { ringFigures } from './ring-figures.ts';
import { startWebhook } from './webhook.ts';

export interface SharderOptions {
  kubeconfig: string | undefined;
  namespace: string;
  identity: string;
  concurrentMoves: number;
  syncPeriodMs: number;
  /** Undefined: switched off. `url` undefined: reached through the Service. */
  webhook: { address: Address; url: string | undefined } | undefined;
  /** Undefined: not served. */
  healthAddress: Address | undefined;
  metricsAddress: Address | undefined;
  logLevel: LogLevel;
  logFormat: 'json' | 'pretty';
}

const leaseName = 'sharder';
const leaseSeconds = 15;

/** Runs a replica of the sharder until the signal is aborted. Throws LeaseLostError when it may no longer lead. */
export async function runSharder(options: SharderOptions, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ level: options.logLevel, format: options.logFormat, name: 'sharder' });
  const registry = createRegistry();
  const connection = connect({ kubeconfig: options.kubeconfig, clock, registry });
  const { client, mapper } = connection;
  const hasher = await createHasher();
  const membership = new Membership({ client, clock, logger });
  const rings = new Rings({ client, mapper, clock, logger });
  const metrics = sharderMetrics(registry, () => ringFigures(rings, membership));
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const health = {
    live: () => true,
    ready: () => (membership.synced ? true : 'the Leases have not been listed yet'),
  };
  const servers = await Promise.all([
    startOpsServer({ address: options.healthAddress ?? '0', health, logger }),
    startOpsServer({ address: options.metricsAddress ?? '0', registry, logger }),
  ]);
  const running: Array<Promise<unknown>> = [];
  const events = new EventRecorder({
    client,
    clock,
    logger,
    controller: `${shardingGroup}/sharder`,
    instance: options.identity,
  });
  let held: HeldLease | undefined;
  try {
    await firstContact(connection.transport, clock, logger, ended);
    running.push(membership.run(ended), rings.run(ended));
    await membership.waitForSync(ended);
    await rings.waitForSync(ended);
    const webhook =
      options.webhook &&
      (await startWebhook({
        ...options.webhook,
        client,
        clock,
        logger,
        registry,
        hasher,
        rings,
        membership,
        namespace: options.namespace,
        username: await ownUsername(client, ended),
      }));
    if (webhook) running.push(webhook.run(ended));
    const claim = {
      namespace: options.namespace,
      name: leaseName,
      holder: options.identity,
      durationSeconds: leaseSeconds,
    };
    running.push(events.run(ended));
    held = await becomeLeader({ client, clock, logger, claim }, ended);
    logger.info({ identity: options.identity }, 'leading');
    await lead(
      {
        client,
        clock,
        logger,
        hasher,
        membership,
        metrics,
        rings,
        held,
        events,
        webhooks: webhook?.configurations,
        concurrency: options.concurrentMoves,
        syncPeriodMs: options.syncPeriodMs,
        controllerMetrics: controllerMetrics(registry),
      },
      ended,
    );
  } finally {
    stop.abort();
    await Promise.allSettled(running);
    // Only now is nothing of this leader under way any more.
    if (signal.aborted) await held?.release();
    await Promise.all(servers.map((server) => server.close()));
    await connection.close();
  }
}

const selfSubjectReviews: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  resource: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

/** The name by which the API server knows this process. */
async function ownUsername(
  client: ReturnType<typeof connect>['client'],
  signal: AbortSignal,
): Promise<string> {
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: { name: '' },
  };
  const answer = await client.create<typeof review & { status?: { userInfo?: { username?: string } } }>(
    selfSubjectReviews,
    review,
    { signal },
  );
  return answer.status?.userInfo?.username ?? '';
}
