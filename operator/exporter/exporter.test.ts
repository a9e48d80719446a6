import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { Manager } from '@controller-sharding/shared/manager/manager.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { UnavailableError } from '@controller-sharding/shared/server/metrics-page.ts';
import {
  drainLabel,
  ringLabel,
  shardLabel,
  stateLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { operatorName, type Theme, themes, type Website, websites } from '../webhosting/resources.ts';
import { theme, website } from '../webhosting/website-fixture.ts';
import { addExporter } from './exporter.ts';
import type { Scrapes } from './scrapes.ts';
import { shardRow } from './shard-metrics.ts';
import { themeRow } from './theme-metrics.ts';
import { websiteRow } from './website-metrics.ts';

const leaseNamespace = 'webhosting-system';

/** An API server in memory, and an exporter that reads it. */
class World {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(this.clock, {
    resources: [{ ...websites, statusSubresource: true }, { ...themes }],
  });
  readonly #stop = new AbortController();
  readonly manager = new Manager({ client: this.api, clock: this.clock, logger });
  readonly scrapes: Scrapes = addExporter(this.manager, {
    ring: operatorName,
    leaseNamespace,
    own: { contentType: 'text/plain', metrics: async () => '' },
    clock: this.clock,
    metricsAddress: undefined,
    logger,
  });
  #running: Promise<void> | undefined;

  async start(): Promise<void> {
    this.#running = this.manager.start(this.#stop.signal);
    await this.clock.advance(1_000);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(1_000);
    await this.#running;
  }

  website(name: string, fields: Partial<Website> & { labels?: Labels } = {}): Website {
    const { labels = {}, ...others } = fields;
    const { metadata, ...site } = website({ name, labels });
    const { uid: _uid, generation: _generation, ...made } = metadata;
    return this.api.seed<Website>(websites, { ...site, ...others, metadata: made });
  }

  shard(name: string, labels: Labels, namespace = leaseNamespace): Lease {
    return this.api.seed<Lease>(leases, {
      metadata: { name, namespace, labels },
      spec: { holderIdentity: name, leaseDurationSeconds: 15 },
    });
  }

  /** The samples on the page, without those that are 0. */
  async samples(): Promise<string[]> {
    await this.clock.advance(1_000);
    const text = (await (await this.scrapes.metrics()).toArray()).join('');
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.endsWith(' 0'));
  }
}

test('Websites, Themes and shards appear with what is known of them, change and go', async () => {
  const world = new World();
  const { api } = world;
  const shop = world.website('shop', {
    labels: { [shardLabel(operatorName)]: 'a', [drainLabel(operatorName)]: 'b', other: 'label' },
    status: { phase: 'Ready', observedGeneration: 1 },
  });
  const fonts = theme({ color: '#00008b', fontFamily: '"Open Sans", serif' });
  const { uid: themeUid } = api.seed<Theme>(themes, fonts).metadata;
  const a = world.shard('a', { [ringLabel]: operatorName, [stateLabel]: 'ready' });
  const b = world.shard('b', { [ringLabel]: operatorName });
  world.shard('of-another-ring', { [ringLabel]: 'other', [stateLabel]: 'ready' });
  world.shard('of-another-namespace', { [ringLabel]: operatorName }, 'elsewhere');
  world.shard('no-shard', {});
  await assert.rejects(world.scrapes.metrics(), UnavailableError);
  await world.start();

  const site = `namespace="project",website="shop",uid="${shop.metadata.uid}"`;
  const look = `theme="plain",uid="${themeUid}"`;
  const shardA = `namespace="webhosting-system",shard="a",controllerring="webhosting-operator"`;
  const shardB = shardA.replace('"a"', '"b"');
  assert.deepEqual(await world.samples(), [
    `kube_website_info{${site},theme="plain"} 1`,
    `kube_website_shard{${site},shard="a",drain="b"} 1`,
    `kube_website_metadata_generation{${site}} 1`,
    `kube_website_observed_generation{${site}} 1`,
    `kube_website_status_phase{${site},phase="Ready"} 1`,
    `kube_theme_info{${look},color="#00008b",font_family="\\"Open Sans\\", serif"} 1`,
    `kube_theme_metadata_generation{${look}} 1`,
    `kube_shard_info{${shardA},uid="${a.metadata.uid}"} 1`,
    `kube_shard_info{${shardB},uid="${b.metadata.uid}"} 1`,
    `kube_shard_state{${shardA},state="ready"} 1`,
    `kube_shard_state{${shardB},state="unknown"} 1`,
  ]);

  const ref = { namespace: 'project', name: 'shop' };
  api.change<Website>(websites, ref, (object) => {
    object.spec.theme = 'dark';
    object.metadata.labels = { [shardLabel(operatorName)]: 'b' };
  });
  api.remove(themes, { name: 'plain' });
  api.remove(leases, { namespace: leaseNamespace, name: 'b' });
  api.label(leases, { namespace: leaseNamespace, name: 'a' }, { [stateLabel]: 'dead' });
  assert.deepEqual(await world.samples(), [
    `kube_website_info{${site},theme="dark"} 1`,
    `kube_website_shard{${site},shard="b",drain=""} 1`,
    `kube_website_metadata_generation{${site}} 2`,
    `kube_website_observed_generation{${site}} 1`,
    `kube_website_status_phase{${site},phase="Ready"} 1`,
    `kube_shard_info{${shardA},uid="${a.metadata.uid}"} 1`,
    `kube_shard_state{${shardA},state="dead"} 1`,
  ]);
  await world.stop();
});

test('of a state set one is 1; none for a Website that nobody has looked at', async () => {
  const world = new World();
  world.website('new');
  await world.start();
  const text = (await (await world.scrapes.metrics()).toArray()).join('');
  const phases = [...text.matchAll(/^kube_website_status_phase\{.*phase="(\w+)"\} (\d)$/gm)];
  assert.deepEqual(
    phases.map(([, phase, value]) => `${phase} ${value}`),
    ['Pending 0', 'Ready 0', 'Error 0', 'Terminating 0'],
  );
  await world.stop();
});

test('of an object only what is told is kept', () => {
  const annotations = { large: 'x'.repeat(1_000) };
  const metadata = { name: 'large', namespace: 'project', labels: { ...annotations }, annotations };
  const rows = [
    websiteRow(operatorName)({ ...website(metadata), status: { lastTransitionTime: annotations.large } }),
    themeRow({ ...theme(), metadata }),
    shardRow({ metadata, spec: { holderIdentity: annotations.large } }),
  ];
  for (const row of rows) assert.doesNotMatch(JSON.stringify(row), /xx/);
});
