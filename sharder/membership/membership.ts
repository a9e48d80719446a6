import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { compareResourceVersions, objectKey } from '@controller-sharding/shared/kube/types.ts';
import { durationMsOf, holderOf, type Lease, sameClaim } from '@controller-sharding/shared/lease/lease.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import {
  invalidShardName,
  ringLabel,
  sharderHolder,
  sharderRequestMs,
  viewMaxAgeMs,
} from '@controller-sharding/shared/sharding/contract.ts';
import { isHandedOver } from '@controller-sharding/shared/sharding/hold-off.ts';
import type { WeightedShard } from '../placement/rendezvous.ts';
import { AbsentShards } from './absent-shards.ts';
import { LeaseProbe } from './lease-probe.ts';
import { type RingShards, ringShards } from './ring-shards.ts';
import { type ShardSettings, sameSettings, shardSettings } from './shard-settings.ts';
import { isGivenUp, isReleased, type ShardState, shardState } from './shard-state.ts';
import { WatchHealth } from './watch-health.ts';

export interface ShardView {
  ring: string;
  shard: string;
  state: ShardState;
  lease: Lease;
  settings: ShardSettings;
}

/** A Lease with a ring label that can be no shard. */
export interface StrangeLease {
  lease: Lease;
  problem: string;
}

interface Observation extends ShardView {
  /** Monotonic ms at which the claim was last seen to change. */
  changedAt: number;
  /** Monotonic ms at which the last read or write of the Lease by this process was sent. */
  readAt: number;
}

const tickMs = 250;
/** A shard renews every 2/15 of its duration, and gives up after 2/3. */
const lateAfterDurations = 0.5;

/**
 * Which shards there are and how they are, as this process sees it by its own clock. Every sharder replica keeps one,
 * so that a new leader goes on with what it observed as a standby.
 */
export class Membership {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #probe: LeaseProbe;
  readonly #health: WatchHealth;
  readonly #informer: Informer<Lease>;
  readonly #observed = new Map<string, Observation>();
  readonly #strange = new Map<string, StrangeLease>();
  readonly #absent: AbsentShards;
  /** As asked for last; every object's move asks. */
  readonly #rings = new Map<string, RingShards>();
  readonly #listeners = new Set<(ring: string) => void>();

  constructor({ client, clock, logger }: { client: ApiClient; clock: Clock; logger: Logger }) {
    this.#client = client;
    this.#clock = clock;
    this.#health = new WatchHealth(clock);
    this.#probe = new LeaseProbe({
      client,
      clock,
      logger,
      observe: (lease, askedAt) => this.observe(lease, askedAt),
      confirmed: (askedAt) => this.#health.confirmed(askedAt),
    });
    this.#absent = new AbsentShards(clock);
    this.#informer = new Informer<Lease>({
      client,
      clock,
      logger,
      resource: leases,
      form: 'full',
      labelSelector: ringLabel,
      health: {
        connected: () => this.#health.connected(),
        progress: () => this.#health.progress(),
        disconnected: () => this.#health.disconnected(),
      },
    });
    this.#informer.addHandler({
      added: (lease) => this.#observe(lease),
      updated: (_old, lease) => this.#observe(lease),
      deleted: (lease) => this.#deleted(lease),
    });
  }

  /** Calls back with the ring's name whenever a shard of it came, went or changed its state. */
  onChange(listener: (ring: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All shards of a ring (all rings if none is named), in no particular order. */
  shards(ring?: string): ShardView[] {
    return [...this.#observed.values()].filter((shard) => ring === undefined || shard.ring === ring);
  }

  /** Leases that can be no shards, and why. */
  strange(): StrangeLease[] {
    return [...this.#strange.values()];
  }

  /** What may be given to the shards of a ring now. */
  ring(ring: string): RingShards {
    let known = this.#rings.get(ring);
    if (known === undefined) {
      known = ringShards(this.shards(ring));
      this.#rings.set(ring, known);
    }
    return known;
  }

  /** The shards that may get objects, by name. */
  usable(ring: string): readonly WeightedShard[] {
    return this.ring(ring).usable;
  }

  /** Whether a shard of that name has none of its objects any more: dead, or unknown for a whole duration. */
  isGivenUp(ring: string, shard: string): boolean {
    const views = this.shards(ring).filter((view) => view.shard === shard);
    if (views.length > 0) return views.every((view) => isGivenUp(view.state));
    // Asked first: it notes the name, whose time counts from now on.
    const over = this.#absent.isOver(ring, shard);
    return over && this.synced && this.#health.healthy;
  }

  /** Nothing carries the name of a shard without a Lease any more. */
  forgetAbsent(ring: string, shard: string): void {
    this.#absent.forget(ring, shard);
  }

  /**
   * Whether a shard's fate is open, or a slot held off: nothing is levelled meanwhile. So it is once a shard is late
   * with its renewal: what was levelled might have to move again. A Lease that somebody else holds and renews is no
   * shard's, and would stay expired for ever.
   */
  isUnsettled(ring: string): boolean {
    const now = this.#clock.monotonic();
    return [...this.#observed.values()].some(
      ({ ring: of, state, lease, shard, changedAt }) =>
        of === ring &&
        (state === 'uncertain' ||
          (state === 'ready' && now - changedAt >= durationMsOf(lease) * lateAfterDurations) ||
          (state === 'expired' && (isHandedOver(lease) || [shard, sharderHolder].includes(holderOf(lease))))),
    );
  }

  /** Ms since this view was last known to be the present. */
  get ageMs(): number {
    return this.#health.ageMs;
  }

  get synced(): boolean {
    return this.#informer.hasSynced;
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await this.#informer.waitForSync(signal);
  }

  /**
   * To be asked right before something is written because a shard is given up: true only if that was seen at most 5 s
   * ago, by the watch or by a read made now.
   */
  async confirmGivenUp(ring: string, shard: string, signal: AbortSignal): Promise<boolean> {
    if (!this.isGivenUp(ring, shard)) return false;
    if (this.ageMs <= viewMaxAgeMs) return true;
    const views = this.shards(ring).filter((view) => view.shard === shard);
    if (views.length === 0) return false;
    for (const view of views) {
      const observation = this.#observed.get(objectKey(view.lease.metadata));
      if (observation && this.#clock.monotonic() - observation.readAt <= viewMaxAgeMs) continue;
      await this.#read(view.lease, signal);
    }
    return this.isGivenUp(ring, shard);
  }

  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#informer.run(signal);
    while (!signal.aborted) {
      if (this.#health.recovered()) this.#startOver();
      this.#refresh();
      this.#probe.tick(this.#health.ageMs, signal);
      await this.#clock.sleep(tickMs, signal).catch(() => undefined);
    }
    await Promise.all([watching, this.#probe.ended()]);
  }

  /** Notes a Lease that was just read or written by this process, by a request sent at `askedAt` (monotonic ms). */
  observe(lease: Lease, askedAt: number): void {
    const key = objectKey(lease.metadata);
    const known = this.#observed.get(key)?.lease;
    // A late answer about a Lease that was deleted and made again meanwhile.
    if (known !== undefined && hasOlderVersion(lease, known)) return;
    this.#observe(lease);
    const observation = this.#observed.get(key);
    if (observation) observation.readAt = Math.max(observation.readAt, askedAt);
  }

  #observe(lease: Lease): void {
    const ring = lease.metadata.labels?.[ringLabel];
    const shard = lease.metadata.name;
    const key = objectKey(lease.metadata);
    const problem = invalidShardName(shard) ?? (ring ? undefined : 'its ring label is empty');
    if (problem !== undefined || ring === undefined) {
      this.#deleted(lease);
      this.#strange.set(key, { lease, problem: problem ?? '' });
      return;
    }
    this.#strange.delete(key);
    const now = this.#clock.monotonic();
    const before = this.#observed.get(key);
    if (before !== undefined && isOlder(lease, before.lease)) return;
    const unchanged = before !== undefined && before.ring === ring && sameClaim(before.lease, lease);
    const changedAt = unchanged ? before.changedAt : now;
    // How much time counts against it is for `#refresh` to say, which knows whether the watch was healthy.
    const state = unchanged ? before.state : shardState(lease, 0);
    const settings = shardSettings(lease);
    const readAt = before?.readAt ?? -Infinity;
    this.#observed.set(key, { ring, shard, lease, settings, changedAt, readAt, state });
    this.#absent.forget(ring, shard);
    const same = before?.state === state && before.ring === ring && sameSettings(before.settings, settings);
    if (!same) this.#changed(ring);
    if (before !== undefined && before.ring !== ring) this.#changed(before.ring);
  }

  /**
   * A deleted Lease says nothing about its shard, which has a duration to put it back; not even a released one does:
   * it may have been taken again before it was deleted.
   */
  #deleted(lease: Lease): void {
    const key = objectKey(lease.metadata);
    this.#strange.delete(key);
    const before = this.#observed.get(key);
    if (before === undefined || before.lease.metadata.uid !== lease.metadata.uid) return;
    this.#observed.delete(key);
    this.#absent.note(before.ring, before.shard, durationMsOf(lease));
    this.#changed(before.ring);
  }

  #refresh(): void {
    if (!this.#health.healthy) return;
    const now = this.#clock.monotonic();
    for (const [key, observation] of this.#observed) {
      // Read here, and not in the watch's view: it was deleted when its answer arrived.
      const unseen = this.synced && this.#informer.store.get(key) === undefined;
      if (unseen && now - observation.readAt > viewMaxAgeMs) this.#deleted(observation.lease);
      const state = shardState(observation.lease, now - observation.changedAt);
      if (state === observation.state) continue;
      observation.state = state;
      this.#changed(observation.ring);
    }
    for (const ring of this.#absent.newlyOver()) this.#changed(ring);
  }

  #startOver(): void {
    const now = this.#clock.monotonic();
    for (const observation of this.#observed.values()) {
      if (!isReleased(observation.lease) || isHandedOver(observation.lease)) observation.changedAt = now;
    }
    this.#absent.startOver();
  }

  async #read(lease: Lease, signal: AbortSignal): Promise<void> {
    const sentAt = this.#clock.monotonic();
    const options = { signal, timeoutMs: sharderRequestMs };
    try {
      this.observe(await this.#client.get<Lease>(leases, lease.metadata, options), sentAt);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#deleted(lease);
    }
  }

  #changed(ring: string): void {
    this.#rings.delete(ring);
    for (const listener of this.#listeners) listener(ring);
  }
}

const hasOlderVersion = (lease: Lease, known: Lease): boolean =>
  compareResourceVersions(lease.metadata.resourceVersion ?? '0', known.metadata.resourceVersion ?? '0') < 0;

const isOlder = (lease: Lease, known: Lease): boolean =>
  lease.metadata.uid === known.metadata.uid && hasOlderVersion(lease, known);
