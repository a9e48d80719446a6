import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { controllerOf, type PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { createLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { childResource, ownerResource, ring } from './moves-objects.ts';

/** What was seen between two moments. */
export interface Observed {
  /** Changes of objects. */
  writes: number;
  /** Monotonic ms of the first and the last of them. */
  firstAt: number;
  lastAt: number;
  /** The owners, by uid, that are on another shard than at the beginning, and that shard. */
  moved: Map<string, string>;
  /** Of all owners and children, how often the one that changed its shard most did so. */
  mostMoves: number;
  /** The longest that an owner and its child were on different shards. */
  longestSplitMs: number;
}

/** An owner with its child. */
export interface Pair {
  owner: PartialObject;
  child: PartialObject;
}

interface Seen {
  owner?: PartialObject;
  child?: PartialObject;
  /** Of the owner when the observation began. */
  shardBefore: string | undefined;
  ownerMoves: number;
  childMoves: number;
  /** Since when (monotonic ms) they are on different shards. */
  splitSince: number | undefined;
}

export const shardOf = ({ metadata }: PartialObject): string | undefined =>
  metadata.labels?.[shardLabel(ring)];

/** Sees every change of the owners and of what they control, by two watches of its own. */
export class MovesObserver {
  readonly #informers: Record<'owner' | 'child', Informer<PartialObject>>;
  readonly #pairs = new Map<string, Seen>();
  #writes = 0;
  #firstAt = Number.NaN;
  #lastAt = Number.NaN;
  #longestSplitMs = 0;

  constructor(client: ApiClient) {
    const informer = (what: 'owner' | 'child'): Informer<PartialObject> => {
      const made = new Informer<PartialObject>({
        client,
        clock,
        logger: createLogger({ level: 'error', name: 'bench' }),
        resource: what === 'owner' ? ownerResource : childResource,
        form: 'metadata',
        labelSelector: shardLabel(ring),
      });
      made.addHandler({
        added: (object) => this.#see(what, object),
        updated: (_old, now) => this.#see(what, now),
      });
      return made;
    };
    this.#informers = { owner: informer('owner'), child: informer('child') };
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.values(this.#informers).map((informer) => informer.run(signal)));
  }

  /** Forgets what was observed before. */
  begin(): void {
    for (const pair of this.#pairs.values()) {
      pair.ownerMoves = 0;
      pair.childMoves = 0;
      pair.shardBefore = pair.owner && shardOf(pair.owner);
    }
    this.#writes = 0;
    this.#firstAt = Number.NaN;
    this.#lastAt = Number.NaN;
    this.#longestSplitMs = 0;
  }

  get observed(): Observed {
    const moved = new Map<string, string>();
    let mostMoves = 0;
    let longestSplitMs = this.#longestSplitMs;
    for (const [uid, { owner, shardBefore, ownerMoves, childMoves, splitSince }] of this.#pairs) {
      if (owner && shardBefore !== undefined && shardOf(owner) !== shardBefore) moved.set(uid, shardBefore);
      mostMoves = Math.max(mostMoves, ownerMoves, childMoves);
      if (splitSince !== undefined) longestSplitMs = Math.max(longestSplitMs, clock.monotonic() - splitSince);
    }
    const [firstAt, lastAt] = [this.#firstAt, this.#lastAt];
    return { writes: this.#writes, firstAt, lastAt, moved, mostMoves, longestSplitMs };
  }

  get writes(): number {
    return this.#writes;
  }

  /** Of the last change, monotonic ms; NaN before the first. */
  get lastAt(): number {
    return this.#lastAt;
  }

  get draining(): number {
    return this.#count(({ owner }) => owner?.metadata.labels?.[drainLabel(ring)] !== undefined);
  }

  /** Owners on a shard. */
  loadOf(shard: string): number {
    return this.#count(({ owner }) => owner !== undefined && shardOf(owner) === shard);
  }

  pairs(uids: readonly string[]): Pair[] {
    return uids.map((uid) => {
      const { owner, child } = this.#pairs.get(uid) ?? {};
      if (!owner || !child) throw new Error('an owner, or its child, has not been seen');
      return { owner, child };
    });
  }

  get size(): number {
    return this.#count(({ owner, child }) => owner !== undefined && child !== undefined);
  }

  #count(condition: (seen: Seen) => boolean): number {
    let count = 0;
    for (const seen of this.#pairs.values()) if (condition(seen)) count += 1;
    return count;
  }

  #see(what: 'owner' | 'child', object: PartialObject): void {
    const now = clock.monotonic();
    this.#writes += 1;
    if (Number.isNaN(this.#firstAt)) this.#firstAt = now;
    this.#lastAt = now;
    const uid = (what === 'owner' ? object.metadata.uid : controllerOf(object)?.uid) ?? '';
    let seen = this.#pairs.get(uid);
    if (seen === undefined) {
      seen = { shardBefore: undefined, ownerMoves: 0, childMoves: 0, splitSince: undefined };
      this.#pairs.set(uid, seen);
    }
    const before = seen[what];
    if (before && shardOf(before) !== shardOf(object)) seen[`${what}Moves`] += 1;
    seen[what] = object;
    const { owner, child } = seen;
    if (!owner || !child) return;
    if (shardOf(owner) !== shardOf(child)) {
      seen.splitSince ??= now;
    } else if (seen.splitSince !== undefined) {
      this.#longestSplitMs = Math.max(this.#longestSplitMs, now - seen.splitSince);
      seen.splitSince = undefined;
    }
  }
}
