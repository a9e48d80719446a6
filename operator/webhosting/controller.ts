import { watch } from '@controller-sharding/shared/controller/definition.ts';
import type { Manager } from '@controller-sharding/shared/manager/manager.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { HostingOptions } from './children.ts';
import { websiteReconciler } from './reconcile.ts';
import { childResources, themes, websites } from './resources.ts';

const byTheme = 'theme';

export interface WebsiteControllerOptions extends HostingOptions {
  clock: Pick<Clock, 'now'>;
  /** Websites worked on at once. */
  workers: number;
}

/** Adds what serves Websites to a manager that is not started yet. */
export function addWebsiteController(manager: Manager, options: WebsiteControllerOptions): void {
  const sites = manager.cache(websites, { indexes: { [byTheme]: ({ spec }) => [spec.theme] } });
  const looks = manager.cache(themes);
  manager.controller({
    name: 'website',
    for: websites,
    owns: childResources,
    watches: [
      watch(themes, ({ metadata }) => sites.byIndex(byTheme, metadata.name).map((site) => site.metadata)),
    ],
    concurrency: options.workers,
    reconcile: websiteReconciler({ ...options, theme: (name) => looks.get(name), events: manager.events }),
  });
}
