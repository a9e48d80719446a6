import { X509Certificate } from 'node:crypto';
import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import type { Address } from '@controller-sharding/shared/runtime/address.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { Registry } from 'prom-client';
import type { SharderConfig } from '../config/schema.ts';
import type { Membership } from '../membership/membership.ts';
import { webhookMetrics } from '../metrics/webhook-metrics.ts';
import type { Hasher } from '../placement/rendezvous.ts';
import type { Rings } from '../rings/rings.ts';
import { certificateFiles, FileCertificate } from '../webhook/certificate-files.ts';
import { CertificateKeeper } from '../webhook/certificate-keeper.ts';
import type { CertificateSource, WebhookCertificate } from '../webhook/certificate-source.ts';
import { certificateSecret, SecretCertificate } from '../webhook/certificates.ts';
import { createDecide } from '../webhook/decide.ts';
import type { WebhookEndpoint, WebhookSettings } from '../webhook/webhook-configuration.ts';
import { WebhookConfigurations } from '../webhook/webhook-configurations.ts';
import { startWebhookServer } from '../webhook/webhook-server.ts';
import { WebhookSnapshots } from '../webhook/webhook-snapshot.ts';

export interface WebhookOptions {
  address: Address;
  config: SharderConfig['webhook'];
  client: ApiClient;
  /** Writes only while this replica leads. */
  leadersClient: ApiClient;
  clock: Clock;
  logger: Logger;
  events: EventSink;
  registry: Registry;
  hasher: Hasher;
  rings: Rings;
  membership: Membership;
  /** The sharder's. */
  namespace: string;
  /** Who this process is to the API server. */
  username: string;
  /** Told of what the webhook serves with, now and later. */
  onCertificate(certificate: WebhookCertificate): void;
}

export interface Webhook {
  configurations: WebhookConfigurations;
  /** Keeps the certificate and the view of the configurations; stops serving when the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** With this annotation, cert-manager enters the authorities into the configurations. */
const injection = 'cert-manager.io/inject-';

/** Serves the webhook. Throws ListenError; whatever is wrong with the certificate is told, and mended when it can be. */
export async function startWebhook(options: WebhookOptions, signal: AbortSignal): Promise<Webhook> {
  const { address, config, client, clock, logger, events, registry, rings, namespace } = options;
  const { annotations, clientConfig, namespaceSelector } = config.config;
  const endpoint = endpointOf(options);
  const injected = Object.keys(annotations).some((name) => name.startsWith(injection));
  const metrics = webhookMetrics(registry, (ring) => rings.get(ring) !== undefined);
  const forgetRing = rings.onChange((ring) => {
    if (!rings.exists(ring)) metrics.forget(ring);
  });

  const settings = (): WebhookSettings | undefined => {
    const { present } = keeper;
    if (present === undefined) return undefined;
    const own = present.authorities && Buffer.from(present.authorities).toString('base64');
    const caBundle = clientConfig.caBundle ?? (injected ? undefined : own);
    return { endpoint, annotations, namespaceSelector, sharderUsername: options.username, caBundle };
  };
  const configurations = new WebhookConfigurations({
    client: options.leadersClient,
    clock,
    logger,
    settings,
  });
  const files = certificateFiles(config.server);
  const keeper = new CertificateKeeper({
    source: certificateSource(),
    clock,
    logger,
    onChange(certificate) {
      server.setCertificate(certificate);
      options.onCertificate(certificate);
      metrics.certificateExpires(expiryOf(certificate));
      for (const { ring } of rings.all()) configurations.tell(ring.metadata.name);
    },
    onProblem(note) {
      if (files) return;
      events.record({
        regarding: {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { namespace, name: certificateSecret },
        },
        type: 'Warning',
        reason: 'WebhookCertificateUnusable',
        action: 'ServeWebhook',
        note,
      });
    },
  });

  function certificateSource(): CertificateSource {
    if (files) return new FileCertificate(files);
    if (injected || clientConfig.caBundle !== undefined) {
      logger.warn('no files for the certificate of the webhook: the authorities configured did not sign it');
    }
    return new SecretCertificate({
      client,
      clock,
      namespace,
      names: namesOf(endpoint),
      trusted: (authority) => configurations.trusted(authority),
    });
  }

  const server = await startWebhookServer({
    address,
    decide: createDecide({
      hasher: options.hasher,
      client,
      snapshots: new WebhookSnapshots(rings, options.membership),
      sharderUsername: options.username,
    }),
    clock,
    logger,
    observer: metrics,
  });
  await keeper.look(signal);
  return {
    configurations,
    async run(stopped) {
      await Promise.all([configurations.run(stopped), keeper.run(stopped)]);
      forgetRing();
      await server.close();
    },
  };
}

function endpointOf({ config, namespace }: WebhookOptions): WebhookEndpoint {
  const { url, service } = config.config.clientConfig;
  if (url !== undefined) return { url };
  return { service: service ?? { namespace, name: 'sharder' } };
}

function namesOf(endpoint: WebhookEndpoint): string[] {
  if ('url' in endpoint) return [new URL(endpoint.url).hostname.replace(/^\[|\]$/g, '')];
  const { namespace, name } = endpoint.service;
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}

const expiryOf = ({ certificate }: WebhookCertificate): Date => new X509Certificate(certificate).validToDate;
