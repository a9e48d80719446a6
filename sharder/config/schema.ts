import { logLevels } from '@controller-sharding/shared/runtime/logger.ts';
import {
  defaultLeaseDurationSeconds,
  sharderNamespace,
} from '@controller-sharding/shared/sharding/contract.ts';
import * as z from 'zod';
import { address, duration, durationOrEndless, httpsUrl, wholeNumber } from './leaves.ts';

const labels = z.record(z.string(), z.string());

const labelSelector = z.strictObject({
  matchLabels: labels.exactOptional().describe('labels and their values'),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).exactOptional(),
      }),
    )
    .exactOptional()
    .describe('requirements of the form `{key, operator, values}`'),
});

const clientConnection = z.strictObject({
  kubeconfig: z
    .string()
    .optional()
    .describe('kubeconfig file; without it `$KUBECONFIG`, `~/.kube/config`, in-cluster'),
  qps: z.number().positive().optional().describe('requests per second at most; without it there is no limit'),
  burst: wholeNumber(1, 100_000).optional().describe('requests at once beyond `qps`'),
  contentType: z.string().optional().describe('accepted and ignored: requests are JSON'),
  acceptContentTypes: z.string().optional().describe('accepted and ignored: answers are JSON'),
});

const leaderElection = z.strictObject({
  leaderElect: z
    .boolean()
    .prefault(true)
    .describe('accepted and ignored: the sharder always takes its Lease before it moves anything'),
  resourceName: z.string().min(1).prefault('sharder').describe("name of the sharder's Lease"),
  resourceNamespace: z
    .string()
    .min(1)
    .prefault(sharderNamespace)
    .describe("namespace of the sharder's Lease and certificate"),
  leaseDuration: duration()
    .prefault(`${defaultLeaseDurationSeconds}s`)
    .describe(
      'time after which a silent leader is followed by another replica; whole seconds, from 5s to 1h',
    ),
  renewDeadline: duration().optional().describe('accepted and ignored: 2/3 of `leaseDuration`'),
  retryPeriod: duration().optional().describe('accepted and ignored: `leaseDuration` / 7.5'),
  resourceLock: z.enum(['leases']).optional().describe('kind of the lock'),
});

const webhook = z.strictObject({
  enabled: z.boolean().prefault(true).describe('label objects at creation; `false` leaves it to the watch'),
  server: z
    .strictObject({
      bindAddress: address().prefault(':9443').describe('where the webhook is served'),
      certDir: z
        .string()
        .optional()
        .describe(
          'folder of certificate and key; without it `/tmp/k8s-webhook-server/serving-certs` if that holds them, else the sharder makes its own and shares them between replicas by a Secret',
        ),
      certName: z.string().prefault('tls.crt').describe('file of the certificate'),
      keyName: z.string().prefault('tls.key').describe('file of the key'),
    })
    .prefault({}),
  config: z
    .strictObject({
      annotations: labels
        .prefault({})
        .describe('annotations of the webhook configurations, as `cert-manager.io/inject-ca-from`'),
      clientConfig: z
        .strictObject({
          url: httpsUrl().optional().describe('address at which the API server reaches the webhook'),
          service: z
            .strictObject({
              namespace: z.string(),
              name: z.string(),
              port: wholeNumber(1, 65_535).optional(),
              path: z.string().optional().describe('accepted and ignored: it is that of the ring'),
            })
            .optional()
            .describe('Service by which the API server reaches it; without `url` it is `sharder`'),
          caBundle: z.string().optional().describe('authority that signed the certificate, PEM in base64'),
        })
        .prefault({}),
      namespaceSelector: labelSelector
        .optional()
        .describe("used in place of the ring's own in the webhook configurations"),
    })
    .prefault({}),
});

const controller = z.strictObject({
  sharder: z
    .strictObject({
      syncPeriod: duration()
        .prefault('5m')
        .describe('how often labels that name no shard are looked for; at least 1s'),
      concurrentMoves: wholeNumber(1, 10_000).prefault(100).describe('objects moved at once'),
      drainTimeout: duration()
        .prefault('5m')
        .describe(
          'time after which a shard that has not let go of an object is told of, by Event and metric; at least 1s',
        ),
      takeOverOverdue: z
        .boolean()
        .prefault(false)
        .describe(
          'take over the Lease of a shard that did not let go in time: it ends, and its objects move',
        ),
    })
    .prefault({}),
});

/** The sharder's configuration file. Fields are those of existing installations, with ours beside them. */
export const sharderConfig = z.strictObject({
  apiVersion: z.literal('config.sharding.timebertt.dev/v1alpha1'),
  kind: z.literal('SharderConfig'),
  clientConnection: clientConnection.prefault({}),
  leaderElection: leaderElection.prefault({}),
  health: z
    .strictObject({
      bindAddress: address().prefault(':8081').describe('serves /healthz and /readyz; "0" = off'),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      bindAddress: address().prefault(':8080').describe('serves /metrics; "0" = off'),
      secureServing: z
        .boolean()
        .prefault(false)
        .describe(
          "by HTTPS, with the webhook's certificate if there is a webhook, and only to users who may `get` the path /metrics",
        ),
    })
    .prefault({}),
  webhook: webhook.prefault({}),
  controller: controller.prefault({}),
  logging: z
    .strictObject({
      level: z.enum(logLevels).prefault('info').describe('least level that is logged'),
      format: z.enum(['json', 'pretty']).prefault('json').describe('for programs or for people'),
    })
    .prefault({}),
  gracefulShutDown: durationOrEndless()
    .prefault('15s')
    .describe('time for work in flight to end when the sharder stops; negative: without end'),
  debugging: z.record(z.string(), z.unknown()).optional().describe('accepted and ignored'),
});

export type SharderConfig = z.output<typeof sharderConfig>;
