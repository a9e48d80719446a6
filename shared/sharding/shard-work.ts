import { Controller } from '../controller/controller.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import type { WriteFence } from '../lease/write-fence.ts';
import { shardLabel } from './contract.ts';
import { ControlledObjects } from './controlled-objects.ts';
import { FencedWriter } from './fenced-writer.ts';
import { HandOver } from './hand-over.ts';
import { HandOverMemory } from './hand-over-memory.ts';
import { HandOverQueue } from './hand-over-queue.ts';
import { Holds } from './holds.ts';
import { type ShardCache, ShardCaches } from './shard-caches.ts';
import type { ShardObserver } from './shard-event.ts';
import { listen } from './shard-handlers.ts';
import type { ShardController, ShardOptions } from './shard-options.ts';
import { ShardReconciles } from './shard-reconciles.ts';

const stopTimeoutMs = 10_000;

/** A controller of the shard, with its queue. */
export interface Registered {
  readonly definition: ShardController<KubeObject>;
  readonly controller: Controller<string>;
}

/** What a shard does while it holds its Lease: its caches, its controllers, and for what is drained a hand-over. */
export class ShardWork {
  readonly caches: ShardCaches;
  readonly #options: ShardOptions;
  readonly #controlled: ControlledObjects;
  readonly #memory = new HandOverMemory();
  readonly #holds = new Holds();
  readonly #handOver: HandOver;
  readonly #handOvers: HandOverQueue;
  readonly #registered: Registered[];
  readonly #mains: readonly ShardCache[];

  constructor(
    options: ShardOptions,
    definitions: readonly ShardController<KubeObject>[],
    fence: Pick<WriteFence, 'permit'>,
  ) {
    const { client, clock, logger, ring, random, metrics } = options;
    const observer: ShardObserver = options.observer ?? (() => undefined);
    this.#options = options;
    this.caches = new ShardCaches({
      client,
      clock,
      logger,
      random,
      syncTimeoutMs: options.syncTimeoutMs,
      labelSelector: () => `${shardLabel(ring)}=${options.shard}`,
    });
    const cachesOf = (resources: Resource[]) => [
      ...new Set(resources.map((resource) => this.caches.add(resource))),
    ];
    const mains = cachesOf(definitions.map((definition) => definition.for.resource));
    this.#mains = mains;
    const owned = cachesOf(definitions.flatMap(({ owns }) => owns.map(({ resource }) => resource)));
    const controlled = new ControlledObjects({ client, ring, mains, owned });
    this.#controlled = controlled;
    const writer = new FencedWriter({
      client,
      clock,
      fence,
      ring,
      get shard() {
        return options.shard;
      },
      observer,
      includes: (owner, uid) => controlled.includes(owner.metadata.uid ?? '', uid),
      follows: (resource) => controlled.follows(resource),
      created: (owner, resource, object) => controlled.created(owner, resource, object),
      perhapsCreated: (owner) => this.#handOver.readLive(owner.metadata.uid ?? ''),
    });
    this.#handOver = new HandOver({
      client,
      ring,
      get shard() {
        return options.shard;
      },
      observer,
      writer,
      controlled,
      memory: this.#memory,
      cached: (resource, key) => this.caches.get(resource)?.store.get(key),
      hold: (uid) => this.#holds.alone(uid),
    });
    const shared = { caches: this.caches, memory: this.#memory, holds: this.#holds };
    const ended = (resource: Resource, key: string, uid: string): void => {
      // It may have left while it was worked on: what was noted since then is forgotten by nobody else.
      if (this.caches.get(resource)?.store.get(key)?.metadata.uid !== uid) this.#forget(uid);
    };
    this.#handOvers = new HandOverQueue({
      ...shared,
      clock,
      logger,
      metrics,
      ring,
      handOver: this.#handOver,
      stays: (resource, object) => reconciles.enqueue(resource, object),
      ended,
    });
    const reconciles = new ShardReconciles({
      ...shared,
      client,
      ring,
      observer,
      writer,
      controlled,
      handOvers: this.#handOvers,
      ended,
    });
    this.#registered = definitions.map((definition) => {
      const controller: Controller<string> = new Controller<string>({
        stopTimeoutMs,
        ...definition,
        reconcile: (key, signal) => reconciles.process({ definition, controller }, key, signal),
        clock,
        logger,
        metrics,
      });
      reconciles.add({ definition, controller });
      return { definition, controller };
    });
    listen({
      ring,
      mains,
      owned,
      registered: this.#registered,
      controlled,
      reconciles,
      handOver: this.#handOver,
      handOvers: this.#handOvers,
      memory: this.#memory,
      forget: (uid) => this.#forget(uid),
    });
  }

  get controllers(): Controller<string>[] {
    return this.#registered.map(({ controller }) => controller);
  }

  /** How many objects that are reconciled the shard has. */
  get mainObjects(): number {
    return this.#mains.reduce((sum, { informer }) => sum + informer.store.size, 0);
  }

  /** How many things are kept in mind of owners, beside the caches. */
  get remembered(): number {
    return this.#handOver.size + this.#controlled.size + this.#memory.size + this.#holds.size;
  }

  /**
   * Lists and watches, then works from `pauseMs` later on until the signal is aborted and what is in flight ended. Throws
   * SyncTimeoutError before any work has begun.
   */
  async run(signal: AbortSignal, atOnce: AbortSignal, pauseMs: number, working: () => void): Promise<void> {
    const closing = new AbortController();
    const running = this.caches.run(closing.signal);
    try {
      await this.caches.waitForSync(signal);
      await this.#options.clock.sleep(pauseMs, signal);
      working();
      const controllers = this.#registered.map(({ controller }) => controller.run(signal, atOnce));
      await Promise.all([...controllers, this.#handOvers.run(signal, atOnce)]);
    } finally {
      closing.abort();
      await running;
    }
  }

  #forget(uid: string): void {
    this.#handOver.forget(uid);
    this.#controlled.forget(uid);
  }
}
