import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { discover } from '@controller-sharding/shared/kube/discovery.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { cleanUp } from '../cleanup/cleanup.ts';

export interface CleanupCommand {
  ring: string;
  kubeconfig: string | undefined;
}

/** `sharder cleanup`, with its report on standard output. */
export async function runCleanup({ ring, kubeconfig }: CleanupCommand, signal: AbortSignal): Promise<void> {
  const connection = connect({ kubeconfig, clock, registry: createRegistry(), userAgent: 'sharder-cleanup' });
  try {
    const resources = await discover(connection.transport);
    const report = (line: string): void => void process.stdout.write(`${line}\n`);
    await cleanUp({ client: connection.client, clock, ring, resources: resources.values(), report }, signal);
  } finally {
    await connection.close();
  }
}
