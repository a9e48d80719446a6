import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ApiClient } from '../kube/api-client.ts';
import { connect } from '../kube/connect.ts';
import { firstContact } from '../kube/first-contact.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { controllerMetrics } from '../metrics/controller.ts';
import { createRegistry } from '../metrics/registry.ts';
import { parseAddress } from '../runtime/address.ts';
import { systemClock as clock } from '../runtime/clock.ts';
import { commandLine } from '../runtime/command-line.ts';
import { createLogger, logLevels } from '../runtime/logger.ts';
import { runProcess, UsageError } from '../runtime/process.ts';
import { startOpsServer } from '../server/ops-server.ts';
import { invalidRingName, invalidShardName } from './contract.ts';
import { Shard } from './shard.ts';
import type { ReconcileRequest } from './shard-options.ts';
import { traceToFile } from './trace-file.ts';

/** An address at which nothing is served. */
const off = '0';

export interface ShardProgram<Main extends KubeObject> {
  /** Name of the program. */
  name: string;
  /** What it does, for `--help`. */
  purpose: string;
  /** Default of `--ring`. */
  ring: string;
  main: Resource;
  controlled: Resource[];
  /** Makes the reconciler, with a client for what the caches don't hold. */
  reconciler(client: ApiClient): (request: ReconcileRequest<Main>) => Promise<void>;
}

/** The `main` of a sharded operator's replica: flags, health and metrics endpoints, and the shard itself. */
export const shardProcess = <Main extends KubeObject>(program: ShardProgram<Main>): Promise<void> =>
  runProcess(program.name, async (signal) => {
    const options = await parse(program, process.argv.slice(2));
    if (options !== undefined) await run(program, options, signal);
  });

type Options = NonNullable<Awaited<ReturnType<typeof parse>>>;

async function run<Main extends KubeObject>(
  program: ShardProgram<Main>,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const logger = createLogger({ level: options.logLevel, name: program.name });
  const registry = createRegistry();
  const connection = connect({
    kubeconfig: options.kubeconfig,
    userAgent: program.name,
    clock,
    registry,
  });
  const { client } = connection;
  const shard = new Shard<Main>({
    client,
    clock,
    logger,
    ring: options.ring,
    shard: options.shardName,
    leaseNamespace: options.leaseNamespace ?? connection.namespace,
    identity: process.env['POD_UID'] ?? randomUUID(),
    main: program.main,
    controlled: program.controlled,
    reconcile: program.reconciler(client),
    concurrency: options.workers,
    metrics: controllerMetrics(registry),
    observer: options.traceFile === undefined ? undefined : traceToFile(options.traceFile, options.shardName),
  });
  const health = { live: () => true, ready: () => shard.ready };
  const servers = await Promise.all([
    startOpsServer({ address: options.healthAddress, health, logger }),
    startOpsServer({ address: options.metricsAddress, registry, logger }),
  ]);
  try {
    await firstContact(connection.transport, clock, logger, signal);
    await shard.run(signal);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await connection.close();
  }
}

/** Undefined when only help was asked for. Throws UsageError. */
async function parse(
  { name, purpose, ring }: Pick<ShardProgram<KubeObject>, 'name' | 'purpose' | 'ring'>,
  args: string[],
) {
  const { help, ...options } = await commandLine(name, args)
    .usage(`$0\n\n${purpose}`)
    .options({
      help: { type: 'boolean', describe: 'show this' },
      kubeconfig: {
        type: 'string',
        describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
      },
      'shard-name': {
        type: 'string',
        default: hostname(),
        describe: 'name of this replica, unique in its ring',
      },
      ring: { type: 'string', default: ring, describe: 'name of the ControllerRing' },
      'lease-namespace': { type: 'string', describe: 'namespace of its Lease; default: its own' },
      workers: { type: 'number', default: 5, describe: 'objects worked on at once' },
      'health-address': {
        type: 'string',
        default: ':8081',
        describe: 'serves /healthz and /readyz; "0" = off',
      },
      'metrics-address': { type: 'string', default: ':8080', describe: 'serves /metrics; "0" = off' },
      'log-level': { choices: logLevels, default: 'info' as const, describe: 'least level that is logged' },
      'trace-file': { type: 'string', describe: 'append what is done to this file, a JSON object per line' },
    })
    .parseAsync();
  if (help === true) return undefined;
  const invalidRing = invalidRingName(options.ring);
  if (invalidRing !== undefined) throw new UsageError(`--ring: ${invalidRing}`);
  const invalid = invalidShardName(options.shardName);
  if (invalid !== undefined) throw new UsageError(`--shard-name: ${invalid}`);
  if (!Number.isInteger(options.workers) || options.workers < 1)
    throw new UsageError('--workers: must be 1 or more');
  return {
    ...options,
    healthAddress: parseAddress('--health-address', options.healthAddress) ?? off,
    metricsAddress: parseAddress('--metrics-address', options.metricsAddress) ?? off,
  };
}
