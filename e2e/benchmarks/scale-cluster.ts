import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps, leases, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { microTime } from '@controller-sharding/shared/lease/lease.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import {
  sharderNamespace,
  shardLabel,
  weightAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import { createRing, createShard } from '../harness/sharder.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';

export const ring = 'bench';

const firstShards = 10;
const namespaceCount = 10;
const inRing = { 'bench/ring': 'true' };
const createdAtOnce = 64;
/** Leases of others, each renewed ten times a second. */
const foreignLeases = 10;
const foreignRenewMs = 100;
/** As often as shards do. */
const renewMs = 2_000;

const foreignName = (index: number): string => `foreign-${index}`;
const namespaceOf = (index: number): string => `bench-${index % namespaceCount}`;

/** A ring of ConfigMaps, with shards that are Leases and nothing else. */
export class ScaleCluster {
  readonly #client: ApiClient;
  readonly #signal: AbortSignal;
  #shards: string[] = [];
  #objects = 0;
  #weighed = 0;

  constructor(client: ApiClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async prepare(): Promise<void> {
    const client = this.#client;
    await client.create(namespaces, namespaceNamed(sharderNamespace), { signal: this.#signal });
    for (let index = 0; index < namespaceCount; index += 1) {
      const metadata = { name: namespaceOf(index), labels: inRing };
      await client.create(namespaces, { metadata }, { signal: this.#signal });
    }
    await createRing(client, {
      metadata: { name: ring },
      spec: {
        // With something that they control, so that it is looked for after each levelling.
        resources: [
          {
            group: '',
            resource: 'configmaps',
            controlledResources: [{ group: '', resource: 'secrets' }],
          },
        ],
        namespaceSelector: { matchLabels: inRing },
      },
    });
    for (let count = 0; count < firstShards; count += 1) await this.join();
    for (let index = 0; index < foreignLeases; index += 1) {
      const metadata = { name: foreignName(index), namespace: 'default' };
      await client.create(leases, { metadata }, { signal: this.#signal });
    }
  }

  /** One more shard. */
  async join(): Promise<void> {
    const name = `operator-${this.#shards.length}`;
    await createShard(this.#client, ring, name);
    this.#shards.push(name);
  }

  /** Has the ring looked at as a whole: a shard's weight changes by too little for anything to move. */
  async weigh(): Promise<void> {
    this.#weighed += 1;
    const weight = (1 + this.#weighed / 1_000).toFixed(3);
    const body = { metadata: { annotations: { [weightAnnotation]: weight } } };
    const ref = { namespace: 'default', name: this.#shards[0] ?? '' };
    await this.#client.patchMetadata(leases, ref, { type: 'merge', body }, { signal: this.#signal });
  }

  /** Creates objects, labelled from the start and level, until there are `count`. */
  async grow(count: number, progress: (line: string) => void): Promise<void> {
    const work = async (): Promise<void> => {
      while (this.#objects < count) {
        const index = this.#objects;
        this.#objects += 1;
        await this.#create(index);
        if (index % 20_000 === 19_999) progress(`${index + 1} objects`);
      }
    };
    await Promise.all(Array.from({ length: createdAtOnce }, work));
  }

  async #create(index: number): Promise<void> {
    const shard = this.#shards[index % this.#shards.length] ?? '';
    const metadata = {
      name: `object-${String(index).padStart(6, '0')}`,
      namespace: namespaceOf(index),
      labels: { [shardLabel(ring)]: shard },
    };
    await this.#client.create(configMaps, { metadata }, { signal: this.#signal, timeoutMs: 60_000 });
  }

  /** Renews the Leases of the shards, each at a time of its own, until the signal is aborted. */
  async renewShards(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const names = [...this.#shards];
      for (const name of names) {
        await this.#renew(name);
        await systemClock.sleep(renewMs / names.length, signal).catch(() => undefined);
      }
      if (names.length === 0) await systemClock.sleep(renewMs, signal).catch(() => undefined);
    }
  }

  /** Updates Leases that are none of the ring's, a hundred per second, until the signal is aborted; says how many. */
  async renewForeign(signal: AbortSignal): Promise<number> {
    let updates = 0;
    const renew = async (name: string): Promise<void> => {
      let due = systemClock.monotonic();
      while (!signal.aborted) {
        await this.#renew(name);
        updates += 1;
        due += foreignRenewMs;
        const leftMs = Math.max(0, due - systemClock.monotonic());
        await systemClock.sleep(leftMs, signal).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: foreignLeases }, (_, index) => renew(foreignName(index))));
    return updates;
  }

  async #renew(name: string): Promise<void> {
    const body = { spec: { renewTime: microTime(new Date()) } };
    const ref = { namespace: 'default', name };
    await this.#client.patchMetadata(leases, ref, { type: 'merge', body }, { signal: this.#signal });
  }
}
