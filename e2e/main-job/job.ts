import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { compareResourceVersions } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { sharderNamespace } from '@controller-sharding/shared/sharding/contract.ts';
import { createSecrets } from './cluster/create-secrets.ts';
import { leaderLease, ringName } from './cluster/objects.ts';
import { prepareCluster } from './cluster/prepare.ts';
import type { Surroundings } from './cluster/surroundings.ts';
import { pinSecret, wishShard } from './cluster/wishes.ts';
import { Fleet } from './fleet/fleet.ts';
import type { ObjectSeen, ShardWishes } from './observer/events.ts';
import { Observer } from './observer/observer.ts';
import type { OwnershipOptions } from './observer/rules/ownership.ts';
import { Watch } from './observer/watch.ts';

const lookEveryMs = 50;

export interface JobOptions extends OwnershipOptions {
  surroundings: Surroundings;
  clock: Clock;
  /** Port of the webhook (0: a free one); undefined: no webhook. */
  webhookPort: number | undefined;
  /** For the environment of sharders and replicas. Default: nothing more. */
  env?: Readonly<Record<string, string>> | undefined;
}

/** The ring with its sharders, replicas and Secrets, and the observer that watches them. */
export class Job {
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly fleet: Fleet;
  readonly namespace: string;
  readonly ring = ringName;
  readonly #stop = new AbortController();
  readonly #failure = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();
  #lastSecret = 0;
  /** Secrets that were created. */
  secrets = 0;

  constructor({ surroundings, clock, webhookPort, env = {}, toleranceMs }: JobOptions) {
    this.surroundings = surroundings;
    this.clock = clock;
    this.observer = new Observer(clock, { toleranceMs });
    // In a borrowed cluster the last run's namespace may still be there.
    this.namespace = surroundings.own ? 'main-job' : `main-job-${randomBytes(3).toString('hex')}`;
    this.fleet = new Fleet({
      clock,
      kubeconfig: surroundings.kubeconfig,
      ring: this.ring,
      namespace: this.namespace,
      sharderNamespace,
      folder: surroundings.folder,
      webhookPort,
      env,
      emit: this.observer.emit,
      traced: (path) => this.observer.follow(path),
    });
  }

  /** Prepares the cluster, starts the observer and then the sharders. */
  async start(sharders: number, signal: AbortSignal): Promise<void> {
    const { client, made } = this.surroundings;
    await prepareCluster(client, made, this.namespace, signal);
    const watch = new Watch({
      client,
      clock: this.clock,
      logger: silentLogger,
      ring: this.ring,
      namespace: this.namespace,
      sharderNamespace,
      leaderLease,
      emit: this.observer.emit,
    });
    this.#watching = Promise.all([watch.run(this.#stop.signal), this.observer.run(this.#stop.signal)]).catch(
      (error: unknown) => this.#failure.abort(error),
    );
    await watch.waitForSync(this.watched(signal));
    await this.fleet.startSharders(sharders);
  }

  /** Aborted with the signal, and when the observer fails: then nothing is worth waiting for. */
  watched(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#failure.signal]);
  }

  /** Waits until so many shards have their Lease and a sharder leads: from then on, no object is to wait. */
  async untilLive(shards: number, signal: AbortSignal): Promise<void> {
    const { world } = this.observer;
    while (world.shards.live().length < shards || world.leader === '') {
      await this.clock.sleep(lookEveryMs, signal);
    }
  }

  /** Creates so many Secrets, as fast as a user with some patience would. */
  async createSecrets(count: number, concurrency: number, signal: AbortSignal): Promise<void> {
    const { client } = this.surroundings;
    const names = Array.from(
      { length: count },
      () => `secret-${String(++this.#lastSecret).padStart(4, '0')}`,
    );
    const options = { client, namespace: this.namespace, names, concurrency, emit: this.observer.emit };
    this.secrets += await createSecrets(options, signal);
  }

  /** Changes what a user asked for on a shard's Lease; resolves when the observer has seen it. */
  async wish(shard: string, wishes: Partial<ShardWishes>, signal: AbortSignal): Promise<void> {
    const { shards } = this.observer.world;
    const lease = { namespace: this.namespace, name: shard };
    const version = await wishShard(this.surroundings.client, lease, wishes, signal);
    await this.#untilSeen(version, () => shards.get(shard)?.resourceVersion, signal);
  }

  /** Pins a Secret to a shard, or removes its pin; resolves when the observer has seen it. */
  async pin({ uid, object }: ObjectSeen, shard: string | undefined, signal: AbortSignal): Promise<void> {
    const { world } = this.observer;
    const secret = { namespace: this.namespace, name: object.slice(this.namespace.length + 1) };
    const version = await pinSecret(this.surroundings.client, secret, this.ring, shard, signal);
    await this.#untilSeen(version, () => world.secret(uid)?.resourceVersion, signal);
  }

  async #untilSeen(version: string, seen: () => string | undefined, signal: AbortSignal): Promise<void> {
    for (;;) {
      const now = seen();
      // What is gone won't be seen any more.
      if (now === undefined || compareResourceVersions(now, version) >= 0) return;
      await this.clock.sleep(lookEveryMs, signal);
    }
  }

  /** The file to which a process of this run writes its trace; followed from now on. */
  traceFile(name: string): string {
    const path = join(this.surroundings.folder, `${name}.trace`);
    this.observer.follow(path);
    return path;
  }

  /** Ends the observer and every process. In a cluster of others the Leases are released, too. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.fleet.stop({ politely: !this.surroundings.own });
    await this.#watching;
  }
}
