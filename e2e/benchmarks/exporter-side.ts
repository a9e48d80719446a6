/** The side of `exporter`: full caches behind the real server, and readers in threads of their own. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Scrapes } from '@controller-sharding/operator/exporter/scrapes.ts';
import type { ShardRow } from '@controller-sharding/operator/exporter/shard-metrics.ts';
import type { ThemeRow } from '@controller-sharding/operator/exporter/theme-metrics.ts';
import { type WebsiteRow, websiteRow } from '@controller-sharding/operator/exporter/website-metrics.ts';
import { Store } from '@controller-sharding/shared/kube/store.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { startOpsServer } from '@controller-sharding/shared/server/ops-server.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ReadPage } from './exporter-reader.ts';
import { runSide } from './side.ts';

export interface ExporterInput {
  websites: number;
}

export interface ExporterResult {
  /** Until the last byte was read, of the slower reader. */
  scrapeMs: number;
  textBytes: number;
  /** Of Websites, in one text. */
  samples: number;
}

const ring = 'webhosting-operator';
const readers = 2;

function fullCache(count: number): Store<WebsiteRow> {
  const websites = new Store<WebsiteRow>((error) => {
    throw error;
  });
  const rowOf = websiteRow(ring);
  for (let index = 0; index < count; index += 1) {
    const [namespace, name] = [`project-${index % 500}`, `website-${index}`];
    const row = rowOf({
      apiVersion: 'webhosting.timebertt.dev/v1alpha1',
      kind: 'Website',
      metadata: {
        namespace,
        name,
        uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
        generation: 3,
        labels: { [shardLabel(ring)]: `${ring}-${index % 5}` },
      },
      spec: { theme: `theme-${index % 50}` },
      status: { phase: 'Ready', observedGeneration: 3, lastTransitionTime: '2026-01-01T00:00:00.000000Z' },
    });
    websites.set(`${namespace}/${name}`, row);
  }
  return websites;
}

async function scrape(port: number): Promise<ReadPage> {
  const worker = new Worker(new URL('./exporter-reader.ts', import.meta.url), { workerData: port });
  const [page] = await once(worker, 'message');
  return page;
}

runSide(async ({ websites: count }: ExporterInput, measure): Promise<ExporterResult> => {
  const caches = {
    websites: fullCache(count),
    themes: new Store<ThemeRow>(() => undefined),
    shards: new Store<ShardRow>(() => undefined),
  };
  const registry = new Scrapes({ caches, ready: () => true, own: createRegistry(), clock });
  const server = await startOpsServer({ address: '127.0.0.1:0', registry, logger });
  await scrape(server.port); // warm
  const pages = await measure(() => Promise.all(Array.from({ length: readers }, () => scrape(server.port))));
  await server.close();
  const [page] = pages;
  if (page === undefined) throw new Error('no page');
  return {
    scrapeMs: Math.max(...pages.map(({ ms }) => ms)),
    textBytes: page.bytes,
    samples: page.samples,
  };
});
