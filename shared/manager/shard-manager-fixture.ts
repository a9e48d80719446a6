import { controllerReference } from '../author/references.ts';
import { type Request, watch } from '../controller/definition.ts';
import * as resources from '../kube/resources.ts';
import { defineResource, type KubeObject } from '../kube/types.ts';
import { silentLogger } from '../runtime/logger.ts';
import { shardLabel } from '../sharding/contract.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { Manager } from './manager.ts';
import type { ManagerOptions } from './manager-options.ts';

export interface Website extends KubeObject {
  spec: { theme: string };
  status?: { color: string };
}
export interface Theme extends KubeObject {
  spec: { color: string };
}
export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const group = { group: 'example.com', version: 'v1', statusSubresource: true };
export const websites = defineResource<Website>({
  ...group,
  resource: 'websites',
  kind: 'Website',
  namespaced: true,
});
export const themes = defineResource<Theme>({
  ...group,
  resource: 'themes',
  kind: 'Theme',
  namespaced: false,
});
export const configMaps = defineResource<ConfigMap>(resources.configMaps);

export const ring = 'sites';
/** A name that objects carry already settles first. */
export const settledMs = 12_000;
export const ref = (name: string) => ({ namespace: 'default', name });
export const shard = (name: string) => ({ shard: { ring, name, namespace: 'default', identity: name } });

/** Websites, each with a page in the color of its theme. */
export class SiteWorld {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(this.clock, {
    resources: [
      { ...websites, statusSubresource: true },
      { ...themes, statusSubresource: false },
    ],
  });

  website(name: string, of: string | undefined, theme = 'plain'): Website {
    const labels = of === undefined ? {} : { [shardLabel(ring)]: of };
    return this.api.seed<Website>(websites, { metadata: { ...ref(name), labels }, spec: { theme } });
  }

  theme(name: string, color: string): void {
    this.api.seed<Theme>(themes, { metadata: { name }, spec: { color } });
  }

  page(name: string): ConfigMap | undefined {
    return this.api.peek<ConfigMap>(configMaps, ref(name));
  }

  async start(user: string, options: Partial<ManagerOptions>, reconciled: string[] = []) {
    const manager = new Manager({
      client: this.api.client({ user }),
      clock: this.clock,
      logger: silentLogger,
      name: 'site-operator',
      ...options,
    });
    const sites = manager.cache(websites, { indexes: { theme: ({ spec }) => [spec.theme] } });
    const known = manager.cache(themes);
    manager.controller({
      name: 'site',
      for: websites,
      owns: [configMaps],
      watches: [
        watch(themes, ({ metadata }) => sites.byIndex('theme', metadata.name).map((site) => site.metadata)),
      ],
      async reconcile({ object: site, client, name }: Request<Website>) {
        reconciled.push(name);
        const color = known.get(site.spec.theme)?.spec.color ?? 'white';
        const owner = controllerReference(site);
        await client.apply(configMaps, {
          metadata: { ...ref(name), ownerReferences: [owner] },
          data: { color },
        });
        await client.setStatus(websites, site, { color });
      },
    });
    const stop = new AbortController();
    const result: { error?: unknown; ended: boolean } = { ended: false };
    const run = (): void => {
      void manager
        .start(stop.signal)
        .catch((error: unknown) => (result.error = error))
        .finally(() => (result.ended = true));
    };
    run();
    await this.clock.advance(settledMs);
    return { manager, stop, result, sites, reconciled };
  }

  writes(user: string) {
    return this.api
      .writes()
      .filter((request) => request.user === user && request.resource !== 'leases.coordination.k8s.io');
  }
}
