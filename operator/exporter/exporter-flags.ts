import { parseAddress } from '@controller-sharding/shared/runtime/address.ts';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { logLevels } from '@controller-sharding/shared/runtime/logger.ts';
import { UsageError } from '@controller-sharding/shared/runtime/usage-error.ts';
import { invalidRingName } from '@controller-sharding/shared/sharding/contract.ts';
import { operatorName } from '../webhosting/resources.ts';

export const exporterName = 'webhosting-exporter';

export type ExporterFlags = NonNullable<Awaited<ReturnType<typeof parseExporterFlags>>>;

/** Undefined when only help was asked for. Throws UsageError. */
export async function parseExporterFlags(args: string[]) {
  const parsed = await commandLine(exporterName, args)
    .usage('$0\n\nTells Prometheus of all Websites, Themes and shards of the webhosting operator.')
    .options({
      help: { type: 'boolean', describe: 'show this' },
      kubeconfig: {
        type: 'string',
        describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
      },
      ring: { type: 'string', default: operatorName, describe: "name of the operator's ControllerRing" },
      'lease-namespace': { type: 'string', describe: "namespace of the shards' Leases; default: its own" },
      'health-address': {
        type: 'string',
        default: ':8081',
        describe: 'serves /healthz and /readyz; "0" = off',
      },
      'metrics-address': { type: 'string', default: ':8080', describe: 'serves /metrics; "0" = off' },
      'metrics-secure': {
        type: 'boolean',
        default: false,
        describe: 'serves /metrics by HTTPS, to users who may get it',
      },
      'log-level': { choices: logLevels, default: 'info' as const, describe: 'least level that is logged' },
    })
    .parseAsync();
  if (parsed.help === true) return undefined;
  const invalidRing = invalidRingName(parsed.ring);
  if (invalidRing !== undefined) throw new UsageError(`--ring: ${invalidRing}`);
  return {
    kubeconfig: parsed.kubeconfig,
    ring: parsed.ring,
    leaseNamespace: parsed.leaseNamespace,
    logLevel: parsed.logLevel,
    secureMetrics: parsed.metricsSecure,
    healthAddress: parseAddress('--health-address', parsed.healthAddress),
    metricsAddress: parseAddress('--metrics-address', parsed.metricsAddress),
  };
}
