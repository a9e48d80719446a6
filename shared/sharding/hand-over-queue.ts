import { Controller } from '../controller/controller.ts';
import type { Outcome } from '../controller/outcome.ts';
import { type KubeObject, objectKey, type Resource, resourceName } from '../kube/types.ts';
import { drainLabel } from './contract.ts';
import type { HandOver } from './hand-over.ts';
import type { HandOverMemory } from './hand-over-memory.ts';
import type { Holds } from './holds.ts';
import type { ShardCaches } from './shard-caches.ts';
import type { ShardOptions } from './shard-options.ts';

export interface HandOverQueueOptions extends Pick<ShardOptions, 'clock' | 'logger' | 'metrics' | 'ring'> {
  caches: ShardCaches;
  memory: HandOverMemory;
  holds: Holds;
  handOver: HandOver;
  /** The object stays, and what was put off because of its hand-over is to be done. */
  stays(resource: Resource, object: KubeObject): void;
  /** The object may have left the shard. */
  ended(resource: Resource, key: string, uid: string): void;
}

/** Hand-overs at a time, whatever the controllers have to do. */
const concurrency = 20;

/** Hands over what carries a drain label, as soon as no controller works on it any more. */
export class HandOverQueue {
  readonly #options: HandOverQueueOptions;
  readonly #controller: Controller<string>;
  readonly #resources = new Map<string, Resource>();

  constructor(options: HandOverQueueOptions) {
    this.#options = options;
    this.#controller = new Controller({
      name: `${options.ring}-hand-over`,
      reconcile: (key, signal) => this.#process(key, signal),
      concurrency,
      clock: options.clock,
      logger: options.logger,
      metrics: options.metrics,
    });
  }

  enqueue(resource: Resource, { metadata }: KubeObject): void {
    const name = resourceName(resource);
    this.#resources.set(name, resource);
    this.#controller.enqueue(`${name}/${objectKey(metadata)}`);
  }

  run(signal: AbortSignal, atOnce?: AbortSignal): Promise<void> {
    return this.#controller.run(signal, atOnce);
  }

  async #process(queued: string, signal: AbortSignal): Promise<Outcome | void> {
    const { caches, holds, ended } = this.#options;
    const slash = queued.indexOf('/');
    const resource = this.#resources.get(queued.slice(0, slash));
    const key = queued.slice(slash + 1);
    const object = resource && caches.get(resource)?.store.get(key);
    if (resource === undefined || object === undefined) return;
    const { uid = '' } = object.metadata;
    const release = holds.alone(uid);
    if (release === undefined) {
      holds.whenFree(uid, queued, () => this.#controller.enqueue(queued));
      return;
    }
    try {
      await this.#handOver(resource, key, object, signal);
    } finally {
      release();
      ended(resource, key, uid);
    }
  }

  async #handOver(resource: Resource, key: string, object: KubeObject, signal: AbortSignal): Promise<void> {
    const { caches, memory, handOver, ring, stays } = this.#options;
    const belief = memory.belief(object);
    if (belief === 'stale') return;
    if (belief === 'unresolved') {
      await handOver.resolve(resource, object, signal);
      // In the same attempt, so that the wait after a failure grows.
      const now = caches.get(resource)?.store.get(key);
      if (now !== undefined && now.metadata.uid === object.metadata.uid)
        await this.#handOver(resource, key, now, signal);
      return;
    }
    if (object.metadata.labels?.[drainLabel(ring)] === undefined) stays(resource, object);
    else await handOver.run(resource, object, signal);
  }
}
