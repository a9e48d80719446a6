import { fileURLToPath } from 'node:url';
import {
  childResources,
  themes,
  type Website,
  websites,
} from '@controller-sharding/operator/webhosting/resources.ts';
import { samples } from '@controller-sharding/operator/webhosting/samples/samples.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { ObjectRef } from '@controller-sharding/shared/kube/types.ts';
import type { ControlPlane } from '../harness/control-plane.ts';
import { writesCountedBy } from './api-server-writes.ts';
import { createServed } from './shard-websites.ts';

const manifests = (name: string): string =>
  fileURLToPath(new URL(`../../manifests/${name}`, import.meta.url));

const atOnce = 64;
/** Looks that no Website has at first, one for each side. */
const newThemes = ['new-0', 'new-1'];

/** Where the webhosting operator is installed, with Websites that are shared out among shards already. */
export class ShardCluster {
  readonly #transport: Transport;
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  readonly #created: ObjectRef[] = [];
  #changes = 0;

  constructor(transport: Transport, signal: AbortSignal) {
    this.#transport = transport;
    this.#client = new KubeClient(transport);
    this.#signal = signal;
  }

  async prepare(controlPlane: ControlPlane): Promise<void> {
    for (const folder of ['crds', 'operators/webhosting']) {
      await controlPlane.kubectl(['apply', '-k', manifests(folder)]);
      await controlPlane.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    }
  }

  /** Websites without pods, with all that belongs to them, as many for each shard. */
  async create(count: number, shards: readonly string[]): Promise<void> {
    const options = { signal: this.#signal };
    const made = samples({ websites: count, namespaces: 50, themes: 20, seed: 1, skipWorkload: true });
    for (const namespace of made.namespaces) await this.#client.create(namespaces, namespace, options);
    for (const theme of made.themes) await this.#client.create(themes, theme, options);
    for (const name of newThemes) {
      await this.#client.create(themes, { metadata: { name }, spec: { color: 'teal', fontFamily: 'serif' } });
    }
    await this.#forEach([...made.websites()], async (website, index) => {
      const shard = shards[index % shards.length] ?? '';
      const { name, namespace } = website.metadata;
      this.#created[index] = { name, namespace };
      const theme = made.themes.find(({ metadata }) => metadata.name === website.spec.theme);
      if (theme) await createServed(this.#client, website, theme, shard, this.#signal);
    });
  }

  /** A look that no Website has. */
  newTheme(): string {
    const theme = newThemes[this.#changes];
    if (theme === undefined) throw new Error('there are no more themes');
    this.#changes += 1;
    return theme;
  }

  /** Gives another look to the Websites that are on the shard with this index. */
  async change(theme: string, shard: { index: number; part: number }): Promise<void> {
    const ofShard = this.#created.filter((_, index) => index % shard.part === shard.index);
    const body = { spec: { theme } };
    await this.#forEach(ofShard, (ref) =>
      this.#client.patch(websites, ref, { type: 'merge', body }, { signal: this.#signal, timeoutMs: 60_000 }),
    );
  }

  /** Requests that wrote Websites or their children, by whomever. */
  writes(): Promise<number> {
    return writesCountedBy(this.#transport, [websites, ...childResources]);
  }

  /** How many Websites are Ready for their present generation. */
  async ready(): Promise<number> {
    let count = 0;
    for await (const { items } of this.#client.list<Website>(websites, 'full', { signal: this.#signal })) {
      count += items.filter(
        ({ metadata, status }) =>
          status?.phase === 'Ready' && status.observedGeneration === metadata.generation,
      ).length;
    }
    return count;
  }

  async #forEach<T>(items: readonly T[], act: (item: T, index: number) => Promise<unknown>): Promise<void> {
    const entries = items.entries();
    const work = async (): Promise<void> => {
      for (const [index, item] of entries) await act(item, index);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }
}
