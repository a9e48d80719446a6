import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { SharedInformers } from '@controller-sharding/shared/kube/shared-informers.ts';
import type { ReadonlyStore } from '@controller-sharding/shared/kube/store.ts';
import { ringLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { themes, websites } from '../webhosting/resources.ts';
import { type ShardRow, shardRow } from './shard-metrics.ts';
import { type ThemeRow, themeRow } from './theme-metrics.ts';
import { type WebsiteRow, websiteRow } from './website-metrics.ts';

/** What the exporter knows: of each object only what it tells. */
export interface ObjectCaches {
  websites: ReadonlyStore<WebsiteRow>;
  themes: ReadonlyStore<ThemeRow>;
  shards: ReadonlyStore<ShardRow>;
}

export interface ObjectCachesOptions {
  /** Of the operator's shards. */
  ring: string;
  /** Where their Leases are. */
  leaseNamespace: string;
}

/** Before the informers run. */
export function objectCaches(
  informers: SharedInformers,
  { ring, leaseNamespace }: ObjectCachesOptions,
): ObjectCaches {
  const form = 'full';
  const selection = { resource: leases, form, namespace: leaseNamespace } as const;
  return {
    websites: informers.acquire({ resource: websites, form, project: websiteRow(ring) }).informer.store,
    themes: informers.acquire({ resource: themes, form, project: themeRow }).informer.store,
    shards: informers.acquire({
      ...selection,
      labelSelector: `${ringLabel}=${ring}`,
      project: shardRow,
    }).informer.store,
  };
}
