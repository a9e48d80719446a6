import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** How many objects there are before the first change. */
export const initialObjects = 3;

/** After so many changes each kind was among them: added, changed, deleted, deleted and created again. */
export const changesOfEveryKind = 6;

/** Changes to ConfigMaps of a namespace, of every kind in turn; there are never more than five. */
export class History {
  readonly #client: ApiClient;
  readonly #namespace: string;
  #steps = 0;

  constructor(client: ApiClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  async begin(): Promise<void> {
    for (const name of ['a', 'b', 'c']) await this.#create(name);
  }

  async step(): Promise<void> {
    const round = Math.floor(this.#steps / changesOfEveryKind);
    const phase = this.#steps % changesOfEveryKind;
    this.#steps += 1;
    switch (phase) {
      case 0:
        return this.#create(`added-${round}`);
      case 1:
        return this.#change('a');
      case 2:
        return this.#delete(round === 0 ? 'b' : `added-${round - 1}`);
      case 3:
        return this.#change(`added-${round}`);
      case 4:
        return this.#delete('c');
      default:
        return this.#create('c'); // another object of the same name
    }
  }

  /** Bytes of several per character are among it: a stream may be cut within one. */
  #data(): Record<string, string> {
    return { step: String(this.#steps), text: 'žluťoučký kůň 🐎\n' };
  }

  async #create(name: string): Promise<void> {
    await this.#client.create<ConfigMap>(configMaps, {
      metadata: { namespace: this.#namespace, name },
      data: this.#data(),
    });
  }

  async #change(name: string): Promise<void> {
    const body = { data: this.#data() };
    await this.#client.patch(configMaps, { namespace: this.#namespace, name }, { type: 'merge', body });
  }

  async #delete(name: string): Promise<void> {
    await this.#client.delete(configMaps, { namespace: this.#namespace, name });
  }
}
