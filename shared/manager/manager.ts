import { hostname } from 'node:os';
import { Controller, type ControllerOptions } from '../controller/controller.ts';
import type { ControllerDefinition } from '../controller/definition.ts';
import { EventRecorder, type EventSink } from '../events/event-recorder.ts';
import type { ApiClient } from '../kube/api-client.ts';
import { SharedInformers } from '../kube/shared-informers.ts';
import { syncInTime } from '../kube/sync-timeout.ts';
import type { KubeObject, TypedResource } from '../kube/types.ts';
import { fencedClient } from '../lease/fenced-client.ts';
import { FencedError } from '../lease/write-fence.ts';
import { controllerMetrics } from '../metrics/controller.ts';
import { shardMetrics } from '../metrics/shard.ts';
import type { Health } from '../server/ops-server.ts';
import type { Cache, CacheOptions } from './late-cache.ts';
import { Leadership } from './leadership.ts';
import { ManagedControllers } from './managed-controllers.ts';
import { type ManagerOptions, StopTimeoutError, shardOptions } from './manager-options.ts';
import { opsRunnable } from './ops-runnable.ts';
import { aborted, type Runnable, RunnableGroup, type Stage, stages } from './runnable.ts';

const informersName = 'informers';
const defaultStopTimeoutMs = 30_000;

/** After the loss of the Lease another process works: there is no time to end in order. */
const lostTimeoutMs = 1_000;

/**
 * Starts what a process consists of in order (servers, informers until they have synced, then controllers, the latter
 * as the leader if that is asked for), and stops it in the opposite order.
 */
export class Manager implements Health {
  /** Those acquired before the start have synced when the controllers start. */
  readonly informers: SharedInformers;
  /**
   * For what isn't done by `Request.client`: with leader election, it writes only while this process surely leads, else,
   * with `shard`, while it surely holds its name (else: FencedError).
   */
  readonly client: ApiClient;
  /** Events for people. One that can't be written is dropped. */
  readonly events: EventSink;
  readonly #options: ManagerOptions;
  readonly #leadership: Leadership | undefined;
  readonly #controllers: ManagedControllers;
  readonly #groups: Record<Stage, RunnableGroup>;
  /** Aborted when there is no time for an orderly stop. */
  readonly #atOnce = new AbortController();
  /** Aborted with the first error. */
  readonly #failed = new AbortController();
  #state: 'new' | 'starting' | 'running' | 'stopping' = 'new';
  #keeping: Promise<void> | undefined;

  constructor(options: ManagerOptions) {
    const { client, clock, logger, random, registry, leaderElection, shard } = options;
    const { healthAddress, metricsAddress, secureMetrics, stopTimeoutMs = defaultStopTimeoutMs } = options;
    this.#options = options;
    this.#leadership = leaderElection && new Leadership({ client, clock, logger, registry }, leaderElection);
    const shardClient = shard && fencedClient(client, () => this.#permit());
    this.client = this.#leadership?.client ?? shardClient ?? client;
    this.#groups = {
      server: new RunnableGroup(),
      cache: new RunnableGroup(),
      replica: new RunnableGroup(),
      leader: new RunnableGroup(),
    };
    this.informers = new SharedInformers({ client, clock, logger, random });
    const name = options.name ?? shard?.ring ?? leaderElection?.name ?? 'controller';
    this.#controllers = new ManagedControllers({
      client,
      unshardedClient: this.#leadership?.client ?? client,
      informers: this.informers,
      fieldManager: name,
      shard: shard && shardOptions(options, shard),
      stopTimeoutMs,
      addController: (definition) => this.addController(definition),
    });
    const events = new EventRecorder({
      client: shardClient ?? this.client,
      clock,
      logger,
      controller: name,
      instance: hostname(),
    });
    this.events = events;
    this.add({ name: 'events', stage: 'cache', run: (signal) => events.run(signal) });
    this.add({
      name: informersName,
      stage: 'cache',
      run: (signal) => this.informers.run(signal),
      waitForSync: (signal) => this.informers.waitForSync(signal),
    });
    if (healthAddress !== undefined) {
      this.add(opsRunnable('health server', { address: healthAddress, health: this, logger }));
    }
    if (metricsAddress !== undefined) {
      const secure = secureMetrics === true ? { client, clock } : undefined;
      this.add(opsRunnable('metrics server', { address: metricsAddress, registry, logger, secure }));
    }
  }

  /** Before the start. */
  add(runnable: Runnable): void {
    this.#whileNew(runnable.name);
    this.#groups[runnable.stage ?? 'leader'].add(runnable);
  }

  /**
   * Before the start. What is enqueued earlier than the controller starts waits for it. Its `stopTimeoutMs` is half of
   * the manager's by default.
   */
  addController<K extends string>(
    options: Omit<ControllerOptions<K>, 'clock' | 'logger' | 'metrics'>,
  ): Controller<K> {
    const { clock, logger, registry, stopTimeoutMs = defaultStopTimeoutMs } = this.#options;
    const controller = new Controller<K>({
      stopTimeoutMs: stopTimeoutMs / 2,
      ...options,
      clock,
      logger,
      metrics: registry && controllerMetrics(registry),
    });
    this.add({
      name: `controller ${options.name}`,
      run: (signal, atOnce) => controller.run(signal, atOnce),
    });
    return controller;
  }

  /** Before the start: what is done for the objects of a resource. */
  controller<T extends KubeObject>(definition: ControllerDefinition<T>): void {
    this.#whileNew(`controller ${definition.name}`);
    this.#controllers.add(definition);
  }

  /**
   * Before the start: what the process knows of a resource. Of one that a sharded controller is for, or owns, the objects
   * of this shard, else all. The controllers start when it has synced.
   */
  cache<T extends KubeObject>(resource: TypedResource<T>, options: CacheOptions<T> = {}): Cache<T> {
    this.#whileNew(`cache of ${resource.resource}`);
    return this.#controllers.cache(resource, options);
  }

  /** Undefined without a shard, and as long as the shard has no slot. */
  get shardName(): string | undefined {
    return this.#controllers.shard?.name;
  }

  live(): boolean {
    return true;
  }

  /** Whether the caches have synced. A process that waits for leadership is ready. */
  ready(): boolean | string {
    if (this.#state === 'running') return this.#controllers.shard?.ready ?? true;
    return this.#state === 'starting'
      ? `not synced yet: ${this.#unsynced().join(', ')}`
      : `the manager is ${this.#state}`;
  }

  /**
   * Runs until the signal is aborted and all has ended; the Lease is released last. Once.
   * Throws, after an orderly stop, the error of the first runnable that failed, SyncTimeoutError, or LeaseLostError;
   * StopTimeoutError when not all ended in time (a Lease that may still be worked with isn't released, but expires).
   * The process has to end then.
   */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'new') throw new Error('a manager can be started only once');
    this.#wire();
    this.#state = 'starting';
    const stop = AbortSignal.any([signal, this.#failed.signal]);
    try {
      await this.#start(stop);
      await aborted(stop);
    } catch (error) {
      if (!stop.aborted) this.#fail(error);
    }
    this.#state = 'stopping';
    await this.#stop();
    if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
  }

  #wire(): void {
    this.#controllers.wire();
    const { shard } = this.#controllers;
    if (shard === undefined) return;
    this.add({ name: 'shard', stage: 'replica', run: (signal, atOnce) => shard.run(signal, atOnce) });
    const { registry, shard: membership } = this.#options;
    if (registry && membership) shardMetrics(registry).observe(membership.ring, () => shard.load);
  }

  #permit(): number {
    const { shard } = this.#controllers;
    if (shard === undefined) throw new FencedError('not written: the manager is not started');
    return shard.permit();
  }

  #whileNew(what: string): void {
    if (this.#state !== 'new') throw new Error(`${what}: add it before the manager is started`);
  }

  async #start(stop: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    for (const stage of stages) {
      if (stage === 'leader') {
        this.#state = 'running';
        await this.#lead(stop);
      }
      stop.throwIfAborted();
      this.#groups[stage].start(this.#atOnce.signal, (error) => this.#fail(error));
      await this.#waitForSync(stage, stop);
    }
    logger.debug('all has been started');
  }

  async #waitForSync(stage: Stage, stop: AbortSignal): Promise<void> {
    const { clock, syncTimeoutMs: timeoutMs } = this.#options;
    const wait = (signal: AbortSignal): Promise<void> => this.#groups[stage].waitForSync(signal);
    await syncInTime({ clock, timeoutMs, wait, unsynced: () => this.#unsynced() }, stop);
  }

  #unsynced(): string[] {
    const names = stages.flatMap((stage) => this.#groups[stage].unsynced);
    return names.flatMap((name) => (name === informersName ? this.informers.unsynced : name));
  }

  async #lead(stop: AbortSignal): Promise<void> {
    if (this.#leadership === undefined) return;
    await this.#leadership.acquire(stop);
    this.#keeping = this.#leadership.keep().catch((error: unknown) => {
      this.#atOnce.abort(error);
      this.#fail(error);
    });
  }

  /** The first error counts, the others are only told. */
  #fail(error: unknown): void {
    if (this.#failed.signal.aborted) this.#options.logger.error({ err: error }, 'failed while stopping');
    else this.#failed.abort(error);
  }

  async #stop(): Promise<void> {
    const { clock, stopTimeoutMs = defaultStopTimeoutMs } = this.#options;
    const atOnce = this.#atOnce.signal;
    const { promise: tooLate, resolve } = Promise.withResolvers<'too late'>();
    const expire = (): void => resolve('too late');
    const cancels = [clock.after(stopTimeoutMs, expire)];
    const hurry = (): void => void cancels.push(clock.after(Math.min(lostTimeoutMs, stopTimeoutMs), expire));
    if (atOnce.aborted) hurry();
    else atOnce.addEventListener('abort', hurry, { once: true });
    let late: string[] = [];
    for (const stage of stages.toReversed()) {
      const group = this.#groups[stage];
      const ended = group.stop();
      // Once it is too late, the others are told to end, and not waited for.
      if (late.length === 0 && (await Promise.race([ended, tooLate])) === 'too late') late = group.running;
    }
    atOnce.removeEventListener('abort', hurry);
    for (const cancel of cancels) cancel();
    if (late.length > 0) {
      this.#atOnce.abort();
      this.#fail(new StopTimeoutError(`not ended within ${stopTimeoutMs / 1000} s: ${late.join(', ')}`));
    }
    await this.#leadership?.end(this.#groups.leader.running.length === 0);
    await this.#keeping;
  }
}
