import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { connect } from '../kube/connect.ts';
import type { ObjectRef } from '../kube/types.ts';
import { createRegistry } from '../metrics/registry.ts';
import { type Clock, systemClock as clock } from '../runtime/clock.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { runProcess } from '../runtime/process.ts';
import { traceToFile } from '../sharding/trace-file.ts';
import { apiServerRunnable } from './api-server-runnable.ts';
import { Manager } from './manager.ts';
import { type OperatorOptions, parseOperatorOptions } from './operator-options.ts';
import type { FlagValues, ProgramFlags } from './program-flags.ts';

export interface OperatorProgram<Flags extends ProgramFlags> {
  /** Name of the program. Of the Lease of its leader, too, when it is not sharded. */
  name: string;
  /** What it does, for `--help`. */
  purpose: string;
  /** Default of `--ring`. */
  ring: string;
  /** Flags of its own. */
  flags?: Flags | undefined;
  /** Adds the controllers, before the manager is started. */
  setup(operator: Operator<Flags>): void | Promise<void>;
}

export interface Operator<Flags extends ProgramFlags> {
  manager: Manager;
  /** What `--workers` says: the concurrency of controllers. */
  workers: number;
  /** Values of the program's own flags. */
  flags: FlagValues<Flags>;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

/**
 * The `main` of an operator: flags, health and metrics endpoints, and the manager. It is sharded; with `--no-sharded`
 * one of its replicas leads and the others wait.
 */
export const runOperator = <Flags extends ProgramFlags>(program: OperatorProgram<Flags>): Promise<void> =>
  runProcess(program.name, async (signal) => {
    const options = await parseOperatorOptions(program, process.argv.slice(2));
    if (options !== undefined) await run(program, options, signal);
  });

async function run<Flags extends ProgramFlags>(
  program: OperatorProgram<Flags>,
  options: OperatorOptions<Flags>,
  signal: AbortSignal,
): Promise<void> {
  const { name } = program;
  const { kubeconfig, qps, burst, healthAddress, metricsAddress, secureMetrics } = options;
  const logger = createLogger({ level: options.logLevel, name });
  const registry = createRegistry();
  const connection = connect({ kubeconfig, qps, burst, userAgent: name, clock, registry });
  const namespace = options.leaseNamespace ?? connection.namespace;
  const manager: Manager = new Manager({
    client: connection.client,
    clock,
    logger,
    registry,
    name,
    healthAddress,
    metricsAddress,
    secureMetrics,
    ...(options.sharded
      ? {
          shard: {
            ring: options.ring,
            name: options.shardName,
            slots: options.shardSlots ? { pod: ownPod(connection.namespace) } : undefined,
            namespace,
            observer:
              options.traceFile === undefined
                ? undefined
                : traceToFile(options.traceFile, () => manager.shardName),
          },
        }
      : { leaderElection: { namespace, name } }),
  });
  manager.add(apiServerRunnable(connection.transport, clock, logger));
  try {
    await program.setup({ manager, workers: options.workers, flags: options.flags, clock, logger, registry });
    await manager.start(signal);
  } finally {
    await connection.close();
  }
}

/** Where it runs, as the pod's manifest tells it, else as pods are by default. */
const ownPod = (namespace: string): ObjectRef => ({
  namespace: process.env['POD_NAMESPACE'] ?? namespace,
  name: process.env['POD_NAME'] ?? hostname(),
});
