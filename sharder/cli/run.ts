import { EventRecorder } from '@controller-sharding/shared/events/event-recorder.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { messageOf } from '@controller-sharding/shared/kube/errors.ts';
import { firstContact } from '@controller-sharding/shared/kube/first-contact.ts';
import type { Resource } from '@controller-sharding/shared/kube/types.ts';
import { fencedClient } from '@controller-sharding/shared/lease/fenced-client.ts';
import type { HeldLease } from '@controller-sharding/shared/lease/held-lease.ts';
import { becomeLeader } from '@controller-sharding/shared/lease/leader-election.ts';
import { FencedError } from '@controller-sharding/shared/lease/write-fence.ts';
import { controllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { leaderElectionMetrics } from '@controller-sharding/shared/metrics/leader-election.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { createLogger, type Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { CertificateAndKey } from '@controller-sharding/shared/server/issue-certificate.ts';
import { MetricsAccess } from '@controller-sharding/shared/server/metrics-access.ts';
import { startOpsServer } from '@controller-sharding/shared/server/ops-server.ts';
import {
  metricsCertificateFolder as folder,
  followServingCertificate,
} from '@controller-sharding/shared/server/serving-certificate.ts';
import { shardingGroup } from '@controller-sharding/shared/sharding/contract.ts';
import type { SharderConfig } from '../config/schema.ts';
import { Membership } from '../membership/membership.ts';
import { sharderMetrics } from '../metrics/sharder-metrics.ts';
import { createHasher } from '../placement/rendezvous.ts';
import { ResourceAccess } from '../rings/resource-access.ts';
import { Rings } from '../rings/rings.ts';
import { removeConfigurations } from '../webhook/switched-off.ts';
import { lead } from './lead.ts';
import { forgetStart } from './memory.ts';
import type { SharderOptions } from './options.ts';
import { ringFigures } from './ring-figures.ts';
import { startWebhook } from './webhook.ts';

/** Runs a replica of the sharder until the signal is aborted. Throws LeaseLostError when it may no longer lead. */
export async function runSharder({ config, identity }: SharderOptions, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ ...config.logging, name: 'sharder' });
  const registry = createRegistry();
  const { kubeconfig, qps, burst } = config.clientConnection;
  const connection = connect({ kubeconfig, qps, burst, clock, registry, logger, userAgent: 'sharder' });
  const access = new ResourceAccess({ client: connection.client, clock, logger });
  const { client } = access;
  const { mapper } = connection;
  const { resourceNamespace } = config.leaderElection;
  const hasher = await createHasher();
  const membership = new Membership({ client, clock, logger });
  const rings = new Rings({ client, mapper, access, clock, logger });
  const metrics = sharderMetrics(registry, () => ringFigures(rings, membership));
  const election = leaderElectionMetrics(registry).observe(config.leaderElection.resourceName);
  warnOfIgnored(config, logger);
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const health = {
    live: () => true,
    ready: () => (membership.synced ? true : 'the Leases have not been listed yet'),
  };
  const { secureServing } = config.metrics;
  const [healthServer, metricsServer] = await Promise.all([
    startOpsServer({ address: config.health.bindAddress ?? '0', health, logger }),
    startOpsServer({
      address: config.metrics.bindAddress ?? '0',
      registry,
      access: secureServing ? new MetricsAccess({ client, clock, logger }) : undefined,
      logger,
    }),
  ]);
  const running: Array<Promise<unknown>> = [];
  const events = new EventRecorder({
    client,
    clock,
    logger,
    controller: `${shardingGroup}/sharder`,
    instance: identity,
  });
  let held: HeldLease | undefined;
  const leadersClient = fencedClient(client, () => {
    if (held === undefined) throw new FencedError('not written: this replica does not lead');
    return held.fence.permit();
  });
  try {
    await firstContact(connection.transport, clock, logger, ended);
    const { enabled, server } = config.webhook;
    const address = enabled ? server.bindAddress : undefined;
    const onCertificate = (pair: CertificateAndKey): void => metricsServer.setCertificate(pair);
    if (secureServing && !address) {
      running.push(followServingCertificate({ clock, logger, folder }, onCertificate, ended));
    }
    running.push(membership.run(ended), rings.run(ended));
    await membership.waitForSync(ended);
    await rings.waitForSync(ended);
    const webhook =
      address &&
      (await startWebhook(
        {
          address,
          config: config.webhook,
          client,
          leadersClient,
          clock,
          logger,
          events,
          registry,
          hasher,
          rings,
          membership,
          namespace: resourceNamespace,
          username: await ownUsername(client, ended),
          onCertificate,
        },
        ended,
      ));
    if (webhook) running.push(webhook.run(ended));
    const { resourceName, leaseDuration } = config.leaderElection;
    const claim = {
      namespace: resourceNamespace,
      name: resourceName,
      holder: identity,
      durationSeconds: leaseDuration / 1_000,
    };
    running.push(events.run(ended));
    forgetStart();
    const onSlowPath = (): void => election.slowPath();
    const { concurrentMoves, syncPeriod, drainTimeout, takeOverOverdue } = config.controller.sharder;
    held = await becomeLeader({ client, clock, logger, claim, onSlowPath }, ended);
    logger.info({ identity }, 'leading');
    election.leading(true);
    if (!webhook) running.push(removeConfigurations({ client: leadersClient, clock, logger }, ended));
    await lead(
      {
        client,
        clock,
        logger,
        hasher,
        membership,
        metrics,
        rings,
        access,
        held,
        events,
        webhooks: webhook?.configurations,
        concurrency: concurrentMoves,
        syncPeriodMs: syncPeriod,
        overdue: { drainTimeoutMs: drainTimeout, takeOver: takeOverOverdue },
        controllerMetrics: controllerMetrics(registry),
      },
      ended,
    );
  } finally {
    election.leading(false);
    stop.abort();
    await Promise.allSettled(running);
    // Only now is nothing of this leader under way any more.
    if (signal.aborted) await held?.release();
    await Promise.all([healthServer.close(), metricsServer.close()]);
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
async function ownUsername(client: ApiClient, signal: AbortSignal): Promise<string> {
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: { name: '' },
  };
  try {
    const answer = await client.create<typeof review & { status?: { userInfo?: { username?: string } } }>(
      selfSubjectReviews,
      review,
      { signal },
    );
    return answer.status?.userInfo?.username ?? '';
  } catch (error) {
    signal.throwIfAborted();
    const what = "the webhook can't do without the sharder's own user name";
    throw new Error(`${what} (SelfSubjectReview): ${messageOf(error)}`, { cause: error });
  }
}

/** Fields of existing installations that have no meaning here. */
function warnOfIgnored(config: SharderConfig, logger: Logger): void {
  const { leaderElection, clientConnection } = config;
  const ignored = [
    !leaderElection.leaderElect && 'leaderElection.leaderElect: false',
    leaderElection.renewDeadline !== undefined && 'leaderElection.renewDeadline',
    leaderElection.retryPeriod !== undefined && 'leaderElection.retryPeriod',
    clientConnection.contentType !== undefined && 'clientConnection.contentType',
    clientConnection.acceptContentTypes !== undefined && 'clientConnection.acceptContentTypes',
    config.debugging !== undefined && 'debugging',
  ].filter((field) => field !== false);
  if (ignored.length > 0) logger.warn({ fields: ignored }, 'fields of the configuration that are ignored');
}
