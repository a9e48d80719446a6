import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { controllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { commandLine } from '@controller-sharding/shared/runtime/command-line.ts';
import { createLogger, logLevels } from '@controller-sharding/shared/runtime/logger.ts';
import { runProcess, UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { startOpsServer } from '@controller-sharding/shared/server/ops-server.ts';
import { invalidShardName } from '@controller-sharding/shared/sharding/contract.ts';
import { Shard } from '@controller-sharding/shared/sharding/shard.ts';
import { traceToFile } from '@controller-sharding/shared/sharding/trace-file.ts';
import type { Secret } from './checksums.ts';
import { checksumReconciler } from './reconcile.ts';

const name = 'checksum-operator';

await runProcess(name, async (signal) => {
  const options = await commandLine(name, process.argv.slice(2), 'CHECKSUM')
    .usage('$0\n\nKeeps, for each Secret of its ring, a ConfigMap with the checksums of the data.')
    .options({
      kubeconfig: {
        type: 'string',
        describe: 'kubeconfig file; default: $KUBECONFIG, ~/.kube/config, in-cluster',
      },
      'shard-name': {
        type: 'string',
        default: hostname(),
        describe: 'name of this replica, unique in its ring',
      },
      ring: { type: 'string', default: 'checksum-controller', describe: 'name of the ControllerRing' },
      'lease-namespace': { type: 'string', describe: 'namespace of its Lease; default: its own' },
      workers: { type: 'number', default: 5, describe: 'Secrets worked on at once' },
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
  if (process.argv.includes('--help')) return;
  const invalid = invalidShardName(options.shardName);
  if (invalid !== undefined) throw new UsageError(`--shard-name: ${invalid}`);
  if (!Number.isInteger(options.workers) || options.workers < 1)
    throw new UsageError('--workers: must be at least 1');

  const logger = createLogger({ level: options.logLevel, name });
  const registry = createRegistry();
  const connection = connect({ kubeconfig: options.kubeconfig, clock, registry });
  const shard = new Shard<Secret>({
    client: connection.client,
    clock,
    logger,
    ring: options.ring,
    shard: options.shardName,
    leaseNamespace: options.leaseNamespace ?? connection.namespace,
    identity: process.env['POD_UID'] ?? randomUUID(),
    main: secrets,
    controlled: [configMaps],
    reconcile: checksumReconciler(connection.client),
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
    await shard.run(signal);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await connection.close();
  }
});
