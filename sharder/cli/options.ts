import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { parseAddress } from '@controller-sharding/shared/runtime/address.ts';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { parseDuration } from '@controller-sharding/shared/runtime/duration.ts';
import { logLevels } from '@controller-sharding/shared/runtime/logger.ts';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { sharderNamespace } from '@controller-sharding/shared/sharding/contract.ts';
import type { SharderOptions } from './run.ts';

/** Calls `run` with what the command line says. Throws UsageError for anything it can't understand. */
export async function parseCommand(
  args: readonly string[],
  run: (options: SharderOptions) => Promise<void>,
): Promise<void> {
  await commandLine('sharder', args)
    .usage('$0 <command>\n\nGives the objects of Kubernetes operators to their replicas.')
    .command(
      'run',
      'Run the sharder: one replica leads, the others stand by and answer the webhook',
      (yargs) =>
        yargs.options({
          kubeconfig: {
            type: 'string',
            describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
          },
          namespace: {
            type: 'string',
            default: sharderNamespace,
            describe: "namespace of the sharder's Lease and certificate",
          },
          identity: {
            type: 'string',
            default: `${hostname()}_${randomBytes(4).toString('hex')}`,
            defaultDescription: 'host name and a random part',
            describe: 'name of this replica in the leader election',
          },
          'concurrent-moves': { type: 'number', default: 100, describe: 'objects moved at once' },
          'sync-period': {
            type: 'string',
            default: '5m',
            describe: 'how often labels that name no shard are looked for',
          },
          webhook: {
            type: 'boolean',
            default: true,
            describe: 'label objects at creation; --no-webhook leaves it to the watch',
          },
          'webhook-address': { type: 'string', default: ':9443', describe: 'where the webhook is served' },
          'webhook-url': {
            type: 'string',
            describe:
              'address (https://host:port) at which the API server reaches it; default: the Service "sharder"',
          },
          'health-address': {
            type: 'string',
            default: ':8081',
            describe: 'serves /healthz and /readyz; "0" = off',
          },
          'metrics-address': { type: 'string', default: ':8080', describe: 'serves /metrics; "0" = off' },
          'log-level': {
            choices: logLevels,
            default: 'info' as const,
            describe: 'least level that is logged',
          },
          'log-format': {
            choices: ['json', 'pretty'] as const,
            default: 'json' as const,
            describe: 'for programs or for people',
          },
        }),
      async (argv) => {
        const { concurrentMoves } = argv;
        if (!Number.isInteger(concurrentMoves) || concurrentMoves < 1 || concurrentMoves > 10_000) {
          throw new UsageError('--concurrent-moves: must be a whole number from 1 to 10000');
        }
        const webhookAddress = parseAddress('--webhook-address', argv.webhookAddress);
        await run({
          kubeconfig: argv.kubeconfig,
          namespace: argv.namespace,
          identity: argv.identity,
          concurrentMoves,
          syncPeriodMs: parseDuration('--sync-period', argv.syncPeriod),
          webhook:
            argv.webhook && webhookAddress !== undefined
              ? {
                  address: webhookAddress,
                  url: webhookUrl(argv.webhookUrl),
                }
              : undefined,
          healthAddress: parseAddress('--health-address', argv.healthAddress),
          metricsAddress: parseAddress('--metrics-address', argv.metricsAddress),
          logLevel: argv.logLevel,
          logFormat: argv.logFormat,
        });
      },
    )
    .demandCommand(1, 1, 'a command is missing')
    .parseAsync();
}

function webhookUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw new UsageError(`--webhook-url: "${text}" is not of the form https://host:port`);
  }
  return text;
}
