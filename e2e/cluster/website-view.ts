import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { waitFor } from '../harness/wait-for.ts';
import { podsOf } from './pods.ts';
import { holdersOf, pastPods, unevenness } from './ring-view.ts';
import type { SuiteCluster } from './suite-cluster.ts';

export const websiteNamespace = 'webhosting-system';
const label = shardLabel(resources.operatorName);
const colors = { plain: 'darkblue', loud: 'crimson' } as const;
export type ThemeName = keyof typeof colors;

/** What can be seen of the webhosting operator's ring in one project, whose Websites have no pods. */
export class WebsiteView {
  readonly namespace: string;
  readonly #cluster: SuiteCluster;

  constructor(cluster: SuiteCluster, namespace: string) {
    this.#cluster = cluster;
    this.namespace = namespace;
  }

  /** The project, two Themes, and so many Websites. */
  async create(count: number): Promise<void> {
    const { client } = this.#cluster;
    const labels = { [resources.projectLabel]: 'true' };
    await client.create<KubeObject>(namespaces, { metadata: { name: this.namespace, labels } });
    for (const [name, color] of Object.entries(colors)) {
      await client.create(resources.themes, { metadata: { name }, spec: { color, fontFamily: 'serif' } });
    }
    for (let number = 0; number < count; number += 1) {
      await client.create(resources.websites, {
        metadata: {
          namespace: this.namespace,
          name: this.name(number),
          labels: { [resources.skipWorkloadLabel]: 'true' },
        },
        spec: { theme: 'plain' },
      });
    }
  }

  name(number: number): string {
    return `website-${number}`;
  }

  /** Gives a Website another look. */
  async change(number: number, theme: ThemeName): Promise<void> {
    const ref = { namespace: this.namespace, name: this.name(number) };
    await this.#cluster.client.patch(resources.websites, ref, { type: 'merge', body: { spec: { theme } } });
  }

  /** The names of Websites that no shard has. */
  async withoutShard(): Promise<string[]> {
    const { items } = await this.#cluster.client.listPage(resources.websites, 'metadata', {
      namespace: this.namespace,
      labelSelector: `!${label}`,
    });
    return items.map(({ metadata }) => metadata.name);
  }

  /**
   * Waits until as many shards hold their Lease, each by a pod of its own that is ready, and share the Websites evenly, each
   * with all its children. Returns the shards of the Websites.
   */
  async untilSpread(shards: number, timeoutMs = 60_000): Promise<Map<string, string | undefined>> {
    const problem = { text: '' };
    const look = async (): Promise<Map<string, string | undefined> | undefined> => {
      const holders = await holdersOf(this.#cluster, websiteNamespace, resources.operatorName);
      const pods = await podsOf(this.#cluster, websiteNamespace, resources.operatorName);
      const owners = await this.#shards(resources.websites, ({ metadata }) => metadata.name);
      problem.text = pastPods(holders, pods);
      for (const resource of resources.childResources) {
        const children = await this.#shards(resource, ({ metadata }) => metadata.labels?.['website']);
        problem.text ||= unevenness(owners, children, [...holders.keys()], shards);
      }
      return problem.text === '' ? owners : undefined;
    };
    return waitFor(`${shards} shards to share the Websites`, look, { timeoutMs, everyMs: 500 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}: ${problem.text}`, { cause: error });
      },
    );
  }

  /** Waits until every Website is served as it is wanted now. */
  async untilReady(count: number): Promise<void> {
    await waitFor(
      `${count} Websites to be Ready`,
      async () => {
        const pages = this.#cluster.client.list<resources.Website>(resources.websites, 'full', {
          namespace: this.namespace,
        });
        const items = (await Array.fromAsync(pages)).flatMap((page) => page.items);
        const ready = items.filter(
          ({ metadata, status }) =>
            status?.phase === 'Ready' && status.observedGeneration === metadata.generation,
        );
        return items.length === count && ready.length === count;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
  }

  /** By the name of the Website. More than one child of a Website and a resource would be one too many. */
  async #shards(
    resource: Resource,
    nameOf: (object: PartialObject) => string | undefined,
  ): Promise<Map<string, string | undefined>> {
    const pages = this.#cluster.client.list<KubeObject>(resource, 'metadata', { namespace: this.namespace });
    const shards = new Map<string, string | undefined>();
    for (const object of (await Array.fromAsync(pages)).flatMap(({ items }) => items)) {
      const name = nameOf(object);
      if (name === undefined) continue; // kube-root-ca.crt
      if (shards.has(name)) throw new Error(`${name} has two ${resource.resource}`);
      shards.set(name, object.metadata.labels?.[label]);
    }
    return shards;
  }
}
