import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { controllerRingKind, ringLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import {
  controllerRingApiVersion,
  type LabelSelector,
  ringNamespaceSelector,
  ringResources,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import type { KnownRing } from '../rings/rings.ts';
import { type MatchCondition, matchConditions } from './match-conditions.ts';

/** Where the API server finds the sharder's webhooks. */
export type WebhookEndpoint =
  /** Base of the address, `https://host:port`. */
  { url: string } | { service: { namespace: string; name: string; port?: number | undefined } };

/** What is the same for the webhooks of all rings. */
export interface WebhookSettings {
  endpoint: WebhookEndpoint;
  annotations: Readonly<Record<string, string>>;
  /** In place of the rings' own. */
  namespaceSelector?: LabelSelector | undefined;
  /** Who the sharder is to the API server. */
  sharderUsername: string;
  /**
   * Base64 of PEM: the authorities that sign the server's certificates. Undefined: somebody else enters them, and they
   * stay as they are.
   */
  caBundle: string | undefined;
}

export interface WebhookClientConfig {
  url?: string;
  service?: { namespace: string; name: string; path: string; port: number };
  /** Base64 of PEM. */
  caBundle?: string;
}

export interface WebhookRule {
  apiGroups: string[];
  apiVersions: string[];
  resources: string[];
  operations: string[];
  scope: '*';
}

export interface MutatingWebhook {
  name: string;
  clientConfig: WebhookClientConfig;
  /** Missing when there is none. */
  rules?: WebhookRule[];
  failurePolicy: 'Ignore';
  timeoutSeconds: number;
  sideEffects: 'None';
  objectSelector: LabelSelector;
  namespaceSelector: LabelSelector;
  matchConditions: MatchCondition[];
  admissionReviewVersions: string[];
}

export interface MutatingWebhookConfiguration extends KubeObject {
  webhooks?: MutatingWebhook[];
}

export const configurationName = (ring: string): string => `controllerring-${ring}`;

/** Also a route's pattern, with `:ring`. */
export const webhookPath = (ring: string): string => `/webhooks/sharder/controllerring/${ring}`;

/** The webhook of a ring as it should be. It belongs to the ring and is deleted with it. */
export function webhookConfiguration(
  known: KnownRing,
  settings: WebhookSettings,
): MutatingWebhookConfiguration {
  const { ring } = known;
  const { name, uid = '' } = ring.metadata;
  const { endpoint, annotations, caBundle, sharderUsername } = settings;
  const hasAnnotations = Object.keys(annotations).length > 0;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: configurationName(name),
      labels: { [ringLabel]: name },
      ...(hasAnnotations && { annotations }),
      ownerReferences: [
        { apiVersion: controllerRingApiVersion, kind: controllerRingKind, name, uid, controller: true },
      ],
    },
    webhooks: [
      {
        name: 'sharder.sharding.timebertt.dev',
        clientConfig: {
          ...clientAddress(endpoint, webhookPath(name)),
          ...(caBundle !== undefined && { caBundle }),
        },
        rules: ringResources(ring).map(({ group, resource }) => ({
          apiGroups: [group],
          apiVersions: ['*'],
          resources: [resource],
          operations: ['CREATE', 'UPDATE'],
          scope: '*',
        })),
        failurePolicy: 'Ignore',
        timeoutSeconds: 5,
        sideEffects: 'None',
        objectSelector: { matchExpressions: [{ key: shardLabel(name), operator: 'DoesNotExist' }] },
        namespaceSelector: settings.namespaceSelector ?? ringNamespaceSelector(ring),
        matchConditions: matchConditions(known, sharderUsername),
        admissionReviewVersions: ['v1'],
      },
    ],
  };
}

function clientAddress(endpoint: WebhookEndpoint, path: string): WebhookClientConfig {
  if ('url' in endpoint) return { url: endpoint.url.replace(/\/+$/, '') + path };
  const { namespace, name, port = 443 } = endpoint.service;
  return { service: { namespace, name, port, path } };
}

/**
 * What has to be written so that a configuration is as wanted; undefined when nothing has to. Labels and annotations of
 * others stay, and so do authorities that others enter. Fields that the API server adds by itself don't count.
 */
export function correctedConfiguration(
  existing: MutatingWebhookConfiguration,
  wanted: MutatingWebhookConfiguration,
): MutatingWebhookConfiguration | undefined {
  const webhooks = (wanted.webhooks ?? []).map((webhook, index) => {
    const caBundle = webhook.clientConfig.caBundle ?? existing.webhooks?.[index]?.clientConfig.caBundle;
    return {
      ...webhook,
      clientConfig: { ...webhook.clientConfig, ...(caBundle !== undefined && { caBundle }) },
    };
  });
  const [reference] = wanted.metadata.ownerReferences ?? [];
  const same =
    holdsAll(existing.metadata.labels, wanted.metadata.labels) &&
    holdsAll(existing.metadata.annotations, wanted.metadata.annotations) &&
    (existing.metadata.ownerReferences ?? []).some((other) => isDeepStrictEqual(other, reference)) &&
    isDeepStrictEqual((existing.webhooks ?? []).map(withDefaults), webhooks.map(withDefaults));
  if (same) return undefined;
  const metadata = { ...existing.metadata, ...wanted.metadata };
  metadata.labels = { ...existing.metadata.labels, ...wanted.metadata.labels };
  metadata.annotations = { ...existing.metadata.annotations, ...wanted.metadata.annotations };
  return { ...wanted, metadata, webhooks };
}

const holdsAll = (
  existing: Readonly<Record<string, string>> = {},
  wanted: Readonly<Record<string, string>> = {},
) => Object.entries(wanted).every(([key, value]) => existing[key] === value);

const withDefaults = (webhook: MutatingWebhook): object => ({
  matchPolicy: 'Equivalent',
  reinvocationPolicy: 'Never',
  rules: [],
  ...webhook,
});
