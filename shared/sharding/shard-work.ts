import { Controller } from '../controller/controller.ts';
import { enqueueMapped, enqueueObject } from '../controller/enqueue.ts';
import type { Outcome } from '../controller/outcome.ts';
import { Informer } from '../kube/informer.ts';
import { type KubeObject, type Resource, resourceName } from '../kube/types.ts';
import type { WriteFence } from '../lease/write-fence.ts';
import { drainLabel, shardLabel } from './contract.ts';
import { ControlledObjects } from './controlled-objects.ts';
import { FencedWriter } from './fenced-writer.ts';
import { HandOver } from './hand-over.ts';
import { HandOverMemory } from './hand-over-memory.ts';
import type { ShardObserver } from './shard-event.ts';
import type { ShardOptions } from './shard-options.ts';

const stopTimeoutMs = 10_000;
/** What goes with its controller is looked at again so much later. */
const heldAgainMs = 100;

/** What a shard does while it holds its Lease: its informers, its queue, and for each object a reconcile or a hand-over. */
export class ShardWork<Main extends KubeObject> {
  readonly #options: ShardOptions<Main>;
  readonly #observer: ShardObserver;
  readonly #mains: Informer<Main>;
  readonly #controlled: Array<{ resource: Resource; informer: Informer<KubeObject> }>;
  readonly #children: ControlledObjects;
  readonly #memory = new HandOverMemory();
  readonly #writer: FencedWriter;
  readonly #handOver: HandOver;
  readonly #controller: Controller<string>;
  /** Uids of what is worked on: reconciled, handed over, or about to go with what controls it. */
  readonly #held = new Set<string>();

  constructor(options: ShardOptions<Main>, fence: WriteFence, observer: ShardObserver) {
    const { client, clock, logger, ring, shard, main } = options;
    this.#options = options;
    this.#observer = observer;
    this.#mains = this.#informer<Main>(main);
    this.#controlled = options.controlled.map((resource) => ({
      resource,
      informer: this.#informer(resource),
    }));
    this.#children = new ControlledObjects({ client, ring, main, informers: this.#controlled });
    this.#writer = new FencedWriter({
      client,
      clock,
      fence,
      ring,
      shard,
      observer,
      includes: (owner, uid) => this.#children.includes(owner.metadata.uid ?? '', uid),
      follows: (resource) => this.#children.follows(resource),
      created: (owner, resource, object) => this.#children.created(owner, resource, object),
      perhapsCreated: (owner) => this.#handOver.readLive(owner.metadata.uid ?? ''),
    });
    this.#handOver = new HandOver({
      client,
      ring,
      shard,
      main,
      observer,
      writer: this.#writer,
      memory: this.#memory,
      controlled: this.#children,
      cached: (key) => this.#mains.store.get(key),
      hold: (uid) => this.#hold(uid),
    });
    this.#controller = new Controller({
      name: ring,
      reconcile: (key, signal) => this.#process(key, signal),
      concurrency: options.concurrency ?? 5,
      stopTimeoutMs,
      clock,
      logger,
      ...(options.metrics && { metrics: options.metrics }),
    });
    this.#listen();
  }

  /** How many things are kept in mind of owners, beside the caches. */
  get remembered(): number {
    return this.#handOver.size + this.#children.size + this.#memory.size + this.#held.size;
  }

  /** Lists and watches, then works from `pauseMs` later on until the signal is aborted and what is in flight ended. */
  async run(signal: AbortSignal, pauseMs: number, working: () => void): Promise<void> {
    const informers = [this.#mains, ...this.#controlled.map(({ informer }) => informer)];
    const closing = new AbortController();
    const running = Promise.all(informers.map((informer) => informer.run(closing.signal)));
    try {
      await Promise.all(informers.map((informer) => informer.waitForSync(signal)));
      await this.#options.clock.sleep(pauseMs, signal);
      working();
      await this.#controller.run(signal);
    } finally {
      closing.abort();
      await running;
    }
  }

  #informer<T extends KubeObject>(resource: Resource): Informer<T> {
    const { client, clock, logger, ring, shard } = this.#options;
    return new Informer<T>({
      client,
      clock,
      resource,
      form: 'full',
      logger: logger.child({ informer: resourceName(resource) }),
      labelSelector: `${shardLabel(ring)}=${shard}`,
    });
  }

  #listen(): void {
    const { ring } = this.#options;
    const own = enqueueObject(this.#controller);
    this.#mains.addHandler({
      added: (object, isInInitialList) => {
        // It comes with a drain: a process before this one may have begun to hand it over.
        const draining = object.metadata.labels?.[drainLabel(ring)] !== undefined;
        if (draining) this.#handOver.readLive(object.metadata.uid ?? '');
        // Whoever waits for a hand-over waits no longer for all that was there at the start.
        own.added?.(object, isInInitialList && !draining);
      },
      updated: (old, now) => own.updated?.(old, now),
      deleted: ({ metadata }) => this.#forget(metadata.uid ?? ''),
    });
    const owner = (object: KubeObject): string[] => {
      const key = this.#children.mainKey(object);
      return key === undefined ? [] : [key];
    };
    for (const { informer } of this.#controlled) {
      informer.addHandler(enqueueMapped(this.#controller, owner));
    }
  }

  #forget(uid: string): void {
    this.#handOver.forget(uid);
    this.#children.forget(uid);
  }

  #hold(uid: string): (() => void) | undefined {
    if (this.#held.has(uid)) return undefined;
    this.#held.add(uid);
    return () => this.#held.delete(uid);
  }

  async #process(key: string, signal: AbortSignal): Promise<Outcome> {
    // What is missing here may have moved: it is not to be cleaned up.
    const main = this.#mains.store.get(key);
    if (main === undefined) return { kind: 'done' };
    const { uid = '' } = main.metadata;
    const release = this.#hold(uid);
    if (release === undefined) return { kind: 'later', afterMs: heldAgainMs };
    try {
      await this.#work(key, main, signal);
    } finally {
      release();
      // It may have left while it was worked on: what was noted since then is forgotten by nobody else.
      if (this.#mains.store.get(key)?.metadata.uid !== uid) this.#forget(uid);
    }
    return { kind: 'done' };
  }

  async #work(key: string, main: Main, signal: AbortSignal): Promise<void> {
    const belief = this.#memory.belief(main);
    if (belief === 'stale') return;
    if (belief === 'unresolved') {
      await this.#handOver.resolve(main, signal);
      // In the same attempt, so that the wait after a failure grows.
      const now = this.#mains.store.get(key);
      if (now !== undefined && now.metadata.uid === main.metadata.uid) await this.#work(key, now, signal);
      return;
    }
    if (main.metadata.labels?.[drainLabel(this.#options.ring)] === undefined)
      await this.#reconcile(key, main, signal);
    else await this.#handOver.run(main, signal);
  }

  async #reconcile(key: string, object: Main, signal: AbortSignal): Promise<void> {
    const { main, reconcile } = this.#options;
    const uid = object.metadata.uid ?? '';
    const about = { resource: resourceName(main), object: key, uid };
    this.#observer({ event: 'reconcile-begin', ...about });
    let outcome: 'done' | 'failed' = 'failed';
    let ended = false;
    try {
      await reconcile({
        object,
        signal,
        writer: this.#writer.for(object, () => ended),
        controlled: (resource) =>
          this.#children
            .cached(uid)
            .filter((child) => resourceName(child.resource) === resourceName(resource))
            .map((child) => child.object),
      });
      outcome = 'done';
    } finally {
      // A write whose promise was dropped still belongs to this reconcile; none begins after it.
      ended = true;
      await this.#writer.idle(uid);
      this.#observer({ event: 'reconcile-end', ...about, outcome });
    }
  }
}
