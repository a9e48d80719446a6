import {
  leaderName,
  type MachineMs,
  type ObjectGone,
  type ObjectSeen,
  type ObservedEvent,
} from '../events.ts';
import { expiryMs, promptMs, Shards } from '../shards.ts';
import { type Rule, seconds, type Violation } from './rule.ts';

interface Owned {
  resource: string;
  object: string;
  shard: string | undefined;
  /** When it was first seen with this assignment. */
  since: MachineMs;
  /** When it lost its last live shard; undefined while that isn't known to have happened. */
  unownedFrom: MachineMs | undefined;
  reported: boolean;
}

/** How an object is judged that is without a live shard. */
export interface OwnershipOptions {
  /** Added to all bounds, where other work keeps the machine busy. Default 0. */
  toleranceMs?: number | undefined;
}

/** How long an object was without a live shard. */
export interface Unowned {
  object: string;
  ms: number;
}

/**
 * While there is a live shard, no object is without one: 2 s from its creation or from a release, 20 s from a SIGKILL
 * (of its shard, or of the leading sharder).
 */
export class Ownership implements Rule {
  readonly #toleranceMs: number;
  readonly #shards = new Shards();
  readonly #objects = new Map<string, Owned>();
  readonly #byShard = new Map<string | undefined, Set<Owned>>();
  #leader = '';
  /** When a sharder led for the first time: before that, there is nobody who could give an object to a shard. */
  #firstLeaderAt: MachineMs | undefined;
  #leaderKilledAt = Number.NEGATIVE_INFINITY;
  #longest: Unowned | undefined;

  constructor({ toleranceMs = 0 }: OwnershipOptions = {}) {
    this.#toleranceMs = toleranceMs;
  }

  /** The longest time without a live shard that ended in this step. */
  get longest(): Unowned | undefined {
    return this.#longest;
  }

  observe(event: ObservedEvent): Violation[] {
    this.#shards.observe(event);
    switch (event.kind) {
      case 'object':
        this.#object(event);
        return [];
      case 'object-gone':
        this.#gone(event);
        return [];
      case 'leader':
        this.#leader = event.holder;
        if (event.holder !== '') this.#firstLeaderAt ??= event.at;
        return [];
      case 'process':
        if (
          event.role === 'sharder' &&
          event.state === 'killing' &&
          leaderName(this.#leader) === event.name
        ) {
          this.#leaderKilledAt = event.at;
        }
        return [];
      case 'step-begin':
        this.#longest = undefined;
        return [];
      case 'time':
        return this.#overdue(event.at);
      default:
        return [];
    }
  }

  #object({ uid, resource, object, shard, at }: ObjectSeen): void {
    const known = this.#objects.get(uid);
    if (known === undefined) {
      const owned = { resource, object, shard, since: at, unownedFrom: undefined, reported: false };
      this.#objects.set(uid, owned);
      this.#setOf(shard).add(owned);
    } else if (known.shard !== shard) {
      const from = this.#unownedFrom(known);
      this.#setOf(known.shard).delete(known);
      this.#setOf(shard).add(known);
      Object.assign(known, { shard, since: at, reported: false, unownedFrom: from });
      if (from === undefined || !this.#isLive(shard)) return;
      known.unownedFrom = undefined;
      if (this.#longest === undefined || at - from > this.#longest.ms) {
        this.#longest = { object, ms: at - from };
      }
    }
  }

  #gone({ uid }: ObjectGone): void {
    const known = this.#objects.get(uid);
    if (known === undefined) return;
    this.#objects.delete(uid);
    this.#setOf(known.shard).delete(known);
  }

  #setOf(shard: string | undefined): Set<Owned> {
    let set = this.#byShard.get(shard);
    if (set === undefined) {
      set = new Set();
      this.#byShard.set(shard, set);
    }
    return set;
  }

  #isLive(shard: string | undefined): boolean {
    return shard !== undefined && this.#shards.get(shard)?.state === 'live';
  }

  #unownedFrom({ shard, since, unownedFrom }: Owned): MachineMs | undefined {
    if (unownedFrom !== undefined) return unownedFrom;
    if (this.#isLive(shard)) return undefined;
    const view = shard === undefined ? undefined : this.#shards.get(shard);
    return view?.state === 'gone' ? Math.max(view.since, since) : since;
  }

  #overdue(now: MachineMs): Violation[] {
    const { usableSince } = this.#shards;
    if (usableSince === undefined || this.#firstLeaderAt === undefined) return [];
    const violations: Violation[] = [];
    for (const [shard, objects] of this.#byShard) {
      if (this.#isLive(shard)) continue;
      const view = shard === undefined ? undefined : this.#shards.get(shard);
      const earliest = Math.max(
        Math.max(usableSince, this.#firstLeaderAt) + promptMs,
        this.#leaderKilledAt + expiryMs,
        view?.state === 'gone' ? view.since + view.boundMs : 0,
      );
      if (now <= earliest + this.#toleranceMs) continue;
      for (const owned of objects) {
        if (owned.reported || now <= owned.since + promptMs + this.#toleranceMs) continue;
        owned.reported = true;
        violations.push(this.#violation(owned, now));
      }
    }
    return violations;
  }

  #violation(owned: Owned, now: MachineMs): Violation {
    const view = owned.shard === undefined ? undefined : this.#shards.get(owned.shard);
    const where =
      owned.shard === undefined
        ? 'without a shard'
        : view?.state === 'gone'
          ? `on ${owned.shard}, which is gone,`
          : `on ${owned.shard}, which is no shard,`;
    const since = view?.state === 'gone' ? Math.max(view.since, owned.since) : owned.since;
    return {
      rule: 'ownership',
      at: now,
      object: owned.object,
      message: `the object (${owned.resource}) has been ${where} for ${seconds(now - since)}, since ${since.toFixed(1)} ms`,
    };
  }
}
