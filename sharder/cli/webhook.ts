import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import type { Address } from '@controller-sharding/shared/runtime/address.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { Registry } from 'prom-client';
import type { Membership } from '../membership/membership.ts';
import { webhookMetrics } from '../metrics/webhook-metrics.ts';
import type { Hasher } from '../placement/rendezvous.ts';
import type { Rings } from '../rings/rings.ts';
import { ensureCertificate } from '../webhook/certificates.ts';
import { createDecide } from '../webhook/decide.ts';
import { WebhookConfigurations } from '../webhook/webhook-configurations.ts';
import { startWebhookServer } from '../webhook/webhook-server.ts';
import type { WebhookSnapshot } from '../webhook/webhook-snapshot.ts';

export interface WebhookOptions {
  address: Address;
  /** Where the API server reaches it; undefined: through the Service `sharder` in `namespace`. */
  url: string | undefined;
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  hasher: Hasher;
  rings: Rings;
  membership: Membership;
  namespace: string;
  /** Who this process is to the API server. */
  username: string;
}

const service = 'sharder';
const renewalCheckMs = 6 * 3_600_000;
const failedMs = 10_000;

/** Serves the webhook. `run` keeps its certificate fresh, and stops serving when its signal is aborted. */
export async function startWebhook(
  options: WebhookOptions,
): Promise<{ configurations: WebhookConfigurations; run(signal: AbortSignal): Promise<void> }> {
  const { address, url, client, clock, logger, registry, hasher, namespace } = options;
  const names = url === undefined ? serviceNames(namespace) : [new URL(url).hostname.replace(/^\[|\]$/g, '')];
  const certificates = { client, clock, namespace, names };
  let certificate = await ensureCertificate(certificates, AbortSignal.timeout(failedMs));
  const decide = createDecide({ hasher, client, snapshot: (ring) => snapshot(options, ring) });
  const tls = { certificate: certificate.certificate, key: certificate.key };
  const server = await startWebhookServer({
    address,
    tls,
    decide,
    clock,
    logger,
    observer: webhookMetrics(registry),
  });
  const configurations = new WebhookConfigurations({
    client,
    clock,
    logger,
    authority: () => certificate.authority,
    endpoint:
      url === undefined
        ? {
            service: {
              namespace,
              name: service,
            },
          }
        : { url },
  });
  const renew = async (signal: AbortSignal): Promise<void> => {
    let pauseMs = renewalCheckMs;
    for (;;) {
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        certificate = await ensureCertificate(certificates, signal);
        server.setCertificate({ certificate: certificate.certificate, key: certificate.key });
        pauseMs = renewalCheckMs;
      } catch (error) {
        logger.warn({ err: error }, "the webhook's certificate could not be checked");
        pauseMs = failedMs;
      }
    }
  };
  return {
    configurations,
    async run(signal) {
      await Promise.all([configurations.run(signal), renew(signal)]);
      await server.close();
    },
  };
}

const serviceNames = (namespace: string): string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];

function snapshot(
  { rings, membership, username }: WebhookOptions,
  ring: string,
): WebhookSnapshot | undefined {
  const known = rings.get(ring);
  if (known === undefined) return undefined;
  return {
    scope: known.scope,
    usable: membership.usable(ring),
    ready: new Set(membership.ready(ring)),
    ageMs: membership.ageMs,
    sharderUsername: username,
  };
}
