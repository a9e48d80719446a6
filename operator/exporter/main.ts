import { connect } from '@controller-sharding/shared/kube/connect.ts';
import { apiServerRunnable } from '@controller-sharding/shared/manager/api-server-runnable.ts';
import { Manager } from '@controller-sharding/shared/manager/manager.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { createLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { runProcess } from '@controller-sharding/shared/runtime/process.ts';
import { addExporter } from './exporter.ts';
import { type ExporterFlags, exporterName as name, parseExporterFlags } from './exporter-flags.ts';

await runProcess(name, async (signal) => {
  const flags = await parseExporterFlags(process.argv.slice(2));
  if (flags !== undefined) await run(flags, signal);
});

async function run(flags: ExporterFlags, signal: AbortSignal): Promise<void> {
  const { kubeconfig, ring, healthAddress, metricsAddress, secureMetrics } = flags;
  const logger = createLogger({ level: flags.logLevel, name });
  const registry = createRegistry();
  const { client, transport, namespace, close } = connect({ kubeconfig, userAgent: name, clock, registry });
  const manager = new Manager({ client, clock, logger, name, healthAddress });
  manager.add(apiServerRunnable(transport, clock, logger));
  const leaseNamespace = flags.leaseNamespace ?? namespace;
  const secure = secureMetrics ? { client, clock } : undefined;
  addExporter(manager, { ring, leaseNamespace, own: registry, clock, metricsAddress, secure, logger });
  try {
    await manager.start(signal);
  } finally {
    await close();
  }
}
