/** Where a flag of the command line stands in the configuration. */
export interface ConfigFlag {
  path: string;
  type: 'string' | 'number' | 'boolean';
}

/** Flags that set a field of the configuration; they win over the file. Their description and default are the field's. */
export const configFlags: Readonly<Record<string, ConfigFlag>> = {
  kubeconfig: { path: 'clientConnection.kubeconfig', type: 'string' },
  namespace: { path: 'leaderElection.resourceNamespace', type: 'string' },
  'concurrent-moves': { path: 'controller.sharder.concurrentMoves', type: 'number' },
  'sync-period': { path: 'controller.sharder.syncPeriod', type: 'string' },
  'drain-timeout': { path: 'controller.sharder.drainTimeout', type: 'string' },
  'take-over-overdue': { path: 'controller.sharder.takeOverOverdue', type: 'boolean' },
  webhook: { path: 'webhook.enabled', type: 'boolean' },
  'webhook-address': { path: 'webhook.server.bindAddress', type: 'string' },
  'webhook-url': { path: 'webhook.config.clientConfig.url', type: 'string' },
  'health-address': { path: 'health.bindAddress', type: 'string' },
  'metrics-address': { path: 'metrics.bindAddress', type: 'string' },
  'metrics-secure': { path: 'metrics.secureServing', type: 'boolean' },
  'log-level': { path: 'logging.level', type: 'string' },
  'log-format': { path: 'logging.format', type: 'string' },
};
