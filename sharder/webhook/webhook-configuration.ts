import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { controllerRingKind, ringLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
  type LabelSelector,
  ringNamespaceSelector,
  ringResources,
} from '@controller-sharding/shared/sharding/controller-ring.ts';

/** Where the API server finds the sharder's webhooks. */
export type WebhookEndpoint =
  /** Base of the address, `https://host:port`. */
  { url: string } | { service: { namespace: string; name: string; port?: number } };

export interface WebhookClientConfig {
  url?: string;
  service?: { namespace: string; name: string; path: string; port?: number };
  /** Base64 of PEM. */
  caBundle: string;
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
  admissionReviewVersions: string[];
}

export interface MutatingWebhookConfiguration extends KubeObject {
  webhooks?: MutatingWebhook[];
}

/** Also a route's pattern, with `:ring`. */
export const webhookPath = (ring: string): string => `/webhooks/sharder/controllerring/${ring}`;

/**
 * The webhook of a ring as it should be. It belongs to the ring and is deleted with it. `authority`: the certificate
 * (PEM) that signed the server's.
 */
export function webhookConfiguration(
  ring: ControllerRing,
  endpoint: WebhookEndpoint,
  authority: string,
): MutatingWebhookConfiguration {
  const { name, uid = '' } = ring.metadata;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: `controllerring-${name}`,
      labels: { [ringLabel]: name },
      ownerReferences: [
        { apiVersion: controllerRingApiVersion, kind: controllerRingKind, name, uid, controller: true },
      ],
    },
    webhooks: [
      {
        name: 'sharder.sharding.timebertt.dev',
        clientConfig: {
          ...clientAddress(endpoint, webhookPath(name)),
          caBundle: Buffer.from(authority).toString('base64'),
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
        namespaceSelector: ringNamespaceSelector(ring),
        admissionReviewVersions: ['v1'],
      },
    ],
  };
}

const clientAddress = (endpoint: WebhookEndpoint, path: string): Omit<WebhookClientConfig, 'caBundle'> =>
  'url' in endpoint
    ? { url: endpoint.url.replace(/\/+$/, '') + path }
    : { service: { ...endpoint.service, path } };

/**
 * Whether what the API server has says the same as what is wanted: then it need not be written. Fields that the server
 * adds by itself, and other labels and annotations, don't count.
 */
export function sameConfiguration(
  existing: MutatingWebhookConfiguration,
  wanted: MutatingWebhookConfiguration,
): boolean {
  return (
    Object.entries(wanted.metadata.labels ?? {}).every(
      ([label, value]) => existing.metadata.labels?.[label] === value,
    ) &&
    isDeepStrictEqual(existing.metadata.ownerReferences, wanted.metadata.ownerReferences) &&
    isDeepStrictEqual((existing.webhooks ?? []).map(withDefaults), (wanted.webhooks ?? []).map(withDefaults))
  );
}

function withDefaults({ clientConfig, ...webhook }: MutatingWebhook): object {
  const { service } = clientConfig;
  return {
    matchPolicy: 'Equivalent',
    reinvocationPolicy: 'Never',
    rules: [],
    ...webhook,
    clientConfig: service ? { ...clientConfig, service: { port: 443, ...service } } : clientConfig,
  };
}
