import { Controller } from '@controller-sharding/shared/controller/controller.ts';
import { enqueueObject } from '@controller-sharding/shared/controller/enqueue.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { drainLabel, labelPath, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ring } from './scale-cluster.ts';

const handedOverAtOnce = 32;
const restMs = 3_000;

/** Answers drains as all shards of the ring together would: each object goes to the shard that the drain names. */
export class AnsweringShards {
  readonly #client: ApiClient;
  readonly #informer: Informer<PartialObject>;
  readonly #controller: Controller<string>;
  #handedOver = 0;
  #lastAt = -Infinity;

  constructor(client: ApiClient) {
    this.#client = client;
    this.#informer = new Informer<PartialObject>({
      client,
      clock,
      logger,
      resource: configMaps,
      form: 'metadata',
      labelSelector: drainLabel(ring),
    });
    this.#controller = new Controller({
      name: 'shards',
      reconcile: (key, signal) => this.#handOver(key, signal),
      concurrency: handedOverAtOnce,
      clock,
      logger,
    });
    this.#informer.addHandler(enqueueObject(this.#controller));
  }

  get handedOver(): number {
    return this.#handedOver;
  }

  /** Nothing is asked for, nor was for some time: objects are moved a few at a time. */
  get atRest(): boolean {
    return this.#informer.store.size === 0 && clock.monotonic() - this.#lastAt >= restMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#informer.run(signal), this.#controller.run(signal)]);
  }

  async #handOver(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name, labels } = this.#informer.store.get(key)?.metadata ?? { name: '' };
    const [shard, drain] = [shardLabel(ring), drainLabel(ring)];
    const to = labels?.[drain];
    if (to === undefined) return;
    const operations = [
      { op: 'test' as const, path: labelPath(shard), value: labels?.[shard] },
      { op: 'test' as const, path: labelPath(drain), value: to },
      { op: 'replace' as const, path: labelPath(shard), value: to },
      { op: 'remove' as const, path: labelPath(drain) },
    ];
    await this.#client.patchMetadata(
      configMaps,
      { namespace, name },
      { type: 'json', operations },
      { signal },
    );
    this.#handedOver += 1;
    this.#lastAt = clock.monotonic();
  }
}
