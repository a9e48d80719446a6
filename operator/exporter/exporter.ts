import type { Manager } from '@controller-sharding/shared/manager/manager.ts';
import { type OpsRunnableOptions, opsRunnable } from '@controller-sharding/shared/manager/ops-runnable.ts';
import type { Address } from '@controller-sharding/shared/runtime/address.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { type ObjectCachesOptions, objectCaches } from './object-caches.ts';
import { Scrapes, type ScrapesOptions } from './scrapes.ts';

export interface ExporterOptions
  extends ObjectCachesOptions,
    Pick<ScrapesOptions, 'own' | 'clock'>,
    Pick<OpsRunnableOptions, 'secure'> {
  /** Where /metrics is served; undefined: nowhere. */
  metricsAddress: Address | undefined;
  logger: Logger;
}

/** Adds what tells of Websites, Themes and shards to a manager that is not started yet. */
export function addExporter(manager: Manager, options: ExporterOptions): Scrapes {
  const { metricsAddress, secure, logger } = options;
  const caches = objectCaches(manager.informers, options);
  const registry = new Scrapes({ ...options, caches, ready: () => manager.ready() });
  if (metricsAddress !== undefined) {
    manager.add(opsRunnable('metrics server', { address: metricsAddress, registry, logger, secure }));
  }
  return registry;
}
