import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { type PartialObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import {
  drainLabel,
  sharderRequestMs,
  shardLabel,
  viewMaxAgeMs,
} from '@controller-sharding/shared/sharding/contract.ts';
import { takeOverByForce } from '../membership/forced-takeover.ts';
import type { ShardView } from '../membership/membership.ts';
import { claimants } from '../membership/ring-shards.ts';
import { holdingOf } from '../membership/shard-holding.ts';
import type { ResourceCount } from '../metrics/move-gauges.ts';
import type { DrainWatcher } from './drains.ts';
import type { RingMoves } from './ring-moves.ts';

export interface OverduePolicy {
  /** A shard that has not let go of an object for so long is told of. */
  drainTimeoutMs: number;
  /** Its Lease is taken over by force then. */
  takeOver: boolean;
}

interface Open {
  resource: Resource;
  object: PartialObject;
  shard: string;
  /** The process that holds the shard's name, of which it is asked. */
  holding: string;
  /** On `#countedMs`. */
  since: number;
  told: boolean;
}

const shortestTickMs = 1_000;
const longestTickMs = 10_000;
/** Objects of one shard that an Event is written for at a look, the rest being told by the count on its Lease. */
const mostToldAtOnce = 50;

/**
 * The drains that a shard doesn't answer, by the time since this leader saw them asked of the process that holds the
 * shard's name now. Time in which the API server could not be seen doesn't count: nobody could let go.
 */
export class OverdueDrains implements DrainWatcher {
  readonly #moves: RingMoves;
  readonly #policy: OverduePolicy;
  /** By uid; the longest asked for first. */
  readonly #open = new Map<string, Open>();
  /** Shards with overdue drains: their number, and when (`#countedMs`) it was told. */
  #shards = new Map<string, { count: number; toldAt: number }>();
  /** Overdue drains by resource. */
  #counts = new Map<string, ResourceCount>();
  #countedMs = 0;
  #lookedAt: number;

  constructor(moves: RingMoves, policy: OverduePolicy) {
    this.#moves = moves;
    this.#policy = policy;
    this.#lookedAt = moves.clock.monotonic();
  }

  /** Objects whose shard should have let go of them. */
  get count(): number {
    return this.#shards.values().reduce((sum, { count }) => sum + count, 0);
  }

  get counts(): ResourceCount[] {
    return [...this.#counts.values()];
  }

  seen(resource: Resource, object: PartialObject): void {
    const { uid = '', labels } = object.metadata;
    const shard = labels?.[shardLabel(this.#moves.scope.ring)];
    if (shard === undefined) return this.ended(object);
    const known = this.#open.get(uid);
    // A new target makes no difference to who is asked.
    if (known?.shard === shard) known.object = object;
    else this.#ask(uid, { resource, object, shard });
  }

  ended({ metadata }: PartialObject): void {
    this.#open.delete(metadata.uid ?? '');
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, scope } = this.#moves;
    const tickMs = Math.max(shortestTickMs, Math.min(this.#policy.drainTimeoutMs / 10, longestTickMs));
    while (!signal.aborted) {
      await clock.sleep(tickMs, signal).catch(() => undefined);
      try {
        await this.#look(signal);
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ err: error, ring: scope.ring }, 'overdue drains could not be dealt with');
      }
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, membership } = this.#moves;
    const now = clock.monotonic();
    if (membership.ageMs <= viewMaxAgeMs) this.#countedMs += now - this.#lookedAt;
    this.#lookedAt = now;
    const overdue = await this.#overdue();
    this.#counts = countsOf(overdue.values());
    const before = this.#shards;
    this.#shards = new Map();
    for (const [shard, drains] of overdue) {
      const toldAt = before.get(shard)?.toldAt ?? -Infinity;
      const isNews = this.#countedMs - toldAt >= this.#policy.drainTimeoutMs;
      this.#shards.set(shard, { count: drains.length, toldAt: isNews ? this.#countedMs : toldAt });
      if (isNews) this.#tellOfShard(shard, drains.length);
      this.#tellOfObjects(shard, drains);
    }
    if (!this.#policy.takeOver) return;
    for (const [shard, [oldest]] of overdue) if (oldest) await this.#takeOver(shard, oldest, signal);
  }

  async #overdue(): Promise<Map<string, Open[]>> {
    const overdue = new Map<string, Open[]>();
    const holdings = new Map<string, string>();
    const slice = new Slice(this.#moves.clock);
    for (const [uid, open] of this.#open) {
      if (this.#countedMs - open.since < this.#policy.drainTimeoutMs) break;
      if (slice.isOver) await slice.maybeYield();
      const holding = holdings.get(open.shard) ?? this.#holding(open.shard);
      holdings.set(open.shard, holding);
      const drains = overdue.get(open.shard);
      // Another process of that name has only had since it came.
      if (open.holding !== holding) this.#ask(uid, open);
      else if (drains === undefined) overdue.set(open.shard, [open]);
      else drains.push(open);
    }
    return overdue;
  }

  #ask(uid: string, { resource, object, shard }: Pick<Open, 'resource' | 'object' | 'shard'>): void {
    this.#open.delete(uid);
    const holding = this.#holding(shard);
    this.#open.set(uid, { resource, object, shard, holding, since: this.#countedMs, told: false });
  }

  #tellOfShard(shard: string, count: number): void {
    const { events, scope, logger } = this.#moves;
    logger.warn({ ring: scope.ring, shard, count }, 'a shard does not let go of objects');
    const lease = this.#view(shard)?.lease;
    if (lease === undefined) return;
    const note = `This shard was asked to let go of objects and has not done so in ${this.#waited}: ${count} of them.`;
    events.record({ regarding: lease, type: 'Warning', reason: 'DrainsOverdue', action: this.#action, note });
  }

  #tellOfObjects(shard: string, drains: readonly Open[]): void {
    const note = `Shard "${shard}" was asked to let go of this object and has not done so in ${this.#waited}.`;
    for (const open of drains.filter(({ told }) => !told).slice(0, mostToldAtOnce)) {
      open.told = true;
      this.#moves.events.record({
        regarding: open.object,
        type: 'Warning',
        reason: 'DrainOverdue',
        action: this.#action,
        note,
      });
    }
  }

  async #takeOver(shard: string, oldest: Open, signal: AbortSignal): Promise<void> {
    const { client, clock, membership, fence, scope, logger } = this.#moves;
    const view = this.#view(shard);
    // One at a time: else a whole ring could be ended at once.
    if (view?.state !== 'ready' || membership.isUnsettled(scope.ring)) return;
    if (!(await this.#isStillAsked(oldest, signal))) return;
    if (!(await takeOverByForce({ client, clock, membership, fence }, view, signal))) return;
    logger.warn({ ring: scope.ring, shard }, 'took the Lease of a shard that does not let go of objects');
    const note = `The Lease was taken from this shard, which did not let go of objects in ${this.#waited}: it ends, and its objects move.`;
    const about = { regarding: view.lease, type: 'Warning', reason: 'TakenOverByForce' } as const;
    this.#moves.events.record({ ...about, action: 'TakeOver', note });
  }

  /** Read now: the watch may be behind. */
  async #isStillAsked({ resource, object, shard }: Open, signal: AbortSignal): Promise<boolean> {
    const { client, scope } = this.#moves;
    try {
      const options = { signal, timeoutMs: sharderRequestMs };
      const { metadata } = await client.getMetadata(resource, object.metadata, options);
      const { uid, labels } = metadata;
      const isAsked = labels?.[drainLabel(scope.ring)] !== undefined;
      return uid === object.metadata.uid && labels?.[shardLabel(scope.ring)] === shard && isAsked;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Undefined: there is none, or several of that name. */
  #view(shard: string): ShardView | undefined {
    const { membership, scope } = this.#moves;
    const views = claimants(membership.shards(scope.ring).filter((view) => view.shard === shard));
    return views.length === 1 ? views[0] : undefined;
  }

  #holding(shard: string): string {
    const view = this.#view(shard);
    return view === undefined ? '' : holdingOf(view.lease);
  }

  get #action(): string {
    return this.#policy.takeOver ? 'TakeOver' : 'Wait';
  }

  get #waited(): string {
    return `${Math.round(this.#policy.drainTimeoutMs / 1_000)} s`;
  }
}

function countsOf(shards: Iterable<readonly Open[]>): Map<string, ResourceCount> {
  const counts = new Map<string, ResourceCount>();
  for (const drains of shards) {
    for (const { resource } of drains) {
      const known = counts.get(resourceName(resource));
      if (known) known.count += 1;
      else
        counts.set(resourceName(resource), { group: resource.group, resource: resource.resource, count: 1 });
    }
  }
  return counts;
}
