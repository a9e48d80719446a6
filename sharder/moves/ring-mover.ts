import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { settleMs, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { isGivenUp } from '../membership/shard-state.ts';
import { Assigner } from './assigner.ts';
import { emptyDeadShard, isShardEmpty } from './dead-shards.ts';
import { DrainHints } from './drain-hints.ts';
import { Drains } from './drains.ts';
import { fetchLeftBehind } from './left-behind.ts';
import { levelRing } from './leveller.ts';
import type { RingMoves } from './ring-moves.ts';

const idleMs = 1_000;
const failedMs = 1_000;
const sweepAgainMs = 2_000;
/** What can't be brought along (somebody refuses it) is not looked for all the time. */
const longestAgainMs = 60_000;
/** How long the search for what was left behind waits for moves to end. */
const sweepLatestMs = 10_000;

/**
 * All moves of one ring, while this process leads. Objects without a shard are served at once, beside the rounds that
 * follow a change of the membership: dead shards first, then stranded drains, then levelling, then what was left behind.
 */
export class RingMover {
  readonly #moves: RingMoves;
  readonly #assigner: Assigner;
  readonly #drains: Drains;
  readonly #syncPeriodMs: number;
  /** Grows with each change of the membership. */
  #version = 0;
  /** The usable shards between which the ring was levelled last. */
  #levelledFor: string | undefined;
  #levelPause = { ms: failedMs, until: 0 };
  #namesListed = { at: -Infinity, version: -1 };
  #strandedDrains = true;
  #sweepFrom: number | undefined;
  #sweepLatest = 0;
  #sweepAgainMs = sweepAgainMs;
  /** Given-up shards, and when (monotonic ms) their objects have to be listed (again). */
  readonly #toEmpty = new Map<string, { at: number; last: boolean }>();
  #wake: () => void = () => undefined;

  constructor(moves: RingMoves, syncPeriodMs: number) {
    this.#moves = moves;
    this.#syncPeriodMs = syncPeriodMs;
    const hints = new DrainHints();
    this.#assigner = new Assigner(moves, hints);
    this.#drains = new Drains(moves, hints, () => {
      this.#strandedDrains = true;
    });
  }

  get unassigned(): number {
    return this.#assigner.unassigned;
  }

  get draining(): number {
    return this.#drains.count;
  }

  membershipChanged(): void {
    this.#version += 1;
    this.#strandedDrains = true;
    this.#wake();
  }

  /** Whether a list made now finds nothing that carries the name. If it does, its objects are moved. */
  async isEmpty(shard: string, signal: AbortSignal): Promise<boolean> {
    if (await isShardEmpty(this.#moves, shard, signal)) return true;
    this.#toEmpty.set(shard, { at: this.#moves.clock.monotonic(), last: false });
    this.#sweepSoon();
    this.#wake();
    return false;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, scope } = this.#moves;
    const running = [this.#assigner.run(signal), this.#drains.run(signal)];
    await this.#drains.waitForSync(signal).catch(() => undefined);
    while (!signal.aborted) {
      const version = this.#version;
      try {
        await this.#round(signal);
        if (version === this.#version) await this.#idle(idleMs, signal);
      } catch (error) {
        if (signal.aborted) break;
        logger.warn({ err: error, ring: scope.ring }, 'a round of moves did not end well: it is done again');
        await clock.sleep(failedMs, signal).catch(() => undefined);
      }
    }
    await Promise.all(running);
  }

  async #round(signal: AbortSignal): Promise<void> {
    const errors: unknown[] = [];
    const steps = [this.#findGivenUp, this.#emptyGivenUp, this.#retarget, this.#level, this.#sweep];
    for (const step of steps) {
      try {
        await step.call(this, signal);
      } catch (error) {
        signal.throwIfAborted();
        // What one step can't do now keeps none of the others waiting.
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Notes which shards are given up, by their Leases and, now and then, by labels that name no Lease. */
  async #findGivenUp(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const now = clock.monotonic();
    for (const { shard, state } of membership.shards(scope.ring)) {
      if (!isGivenUp(state)) this.#toEmpty.delete(shard);
      else if (!this.#toEmpty.has(shard)) this.#toEmpty.set(shard, { at: now, last: false });
    }
    for (const [shard, due] of this.#toEmpty) {
      if (due.at === Infinity && !membership.shards(scope.ring).some((view) => view.shard === shard)) {
        this.#toEmpty.delete(shard);
      }
    }
    const listed = this.#namesListed;
    if (listed.version === this.#version && now - listed.at < this.#syncPeriodMs) return;
    const version = this.#version;
    for (const shard of await this.#namesOfNoLiveShard(signal)) {
      if (membership.isGivenUp(scope.ring, shard)) this.#toEmpty.set(shard, { at: now, last: false });
    }
    this.#namesListed = { at: now, version };
  }

  async #namesOfNoLiveShard(signal: AbortSignal): Promise<Set<string>> {
    const { client, membership, scope } = this.#moves;
    const label = shardLabel(scope.ring);
    const live = membership.shards(scope.ring).filter(({ state }) => !isGivenUp(state));
    const known = [...new Set(live.map(({ shard }) => shard))].toSorted();
    const labelSelector = known.length === 0 ? label : `${label},${label} notin (${known.join(',')})`;
    const names = new Set<string>();
    for (const main of scope.mains) {
      const options = { labelSelector, signal, timeoutMs: sharderRequestMs };
      for await (const { items } of client.list<PartialObject>(main.resource, 'metadata', options)) {
        for (const { metadata } of items) {
          if (scope.selects(metadata.namespace) === true) names.add(metadata.labels?.[label] ?? '');
        }
      }
    }
    return names;
  }

  async #emptyGivenUp(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const errors: unknown[] = [];
    for (const [shard, due] of this.#toEmpty) {
      if (clock.monotonic() < due.at || !membership.isGivenUp(scope.ring, shard)) continue;
      if (membership.usable(scope.ring).length === 0) break;
      try {
        if (!(await emptyDeadShard(this.#moves, shard, signal))) continue;
      } catch (error) {
        signal.throwIfAborted();
        // An object of this shard that can't be moved keeps no other shard's waiting.
        errors.push(error);
        continue;
      }
      this.#sweepSoon();
      // A webhook or a deposed leader may still act on an older view: one more look when they no longer can.
      const known = membership.shards(scope.ring).some((view) => view.shard === shard);
      if (due.last && !known) this.#toEmpty.delete(shard);
      else this.#toEmpty.set(shard, { at: due.last ? Infinity : clock.monotonic() + settleMs, last: true });
    }
    if (errors.length > 0) throw errors[0];
  }

  async #retarget(): Promise<void> {
    if (!this.#strandedDrains) return;
    this.#strandedDrains = false;
    try {
      await this.#drains.retarget();
    } catch (error) {
      this.#strandedDrains = true;
      throw error;
    }
  }

  async #level(signal: AbortSignal): Promise<void> {
    const { membership, scope } = this.#moves;
    const usable = (): string =>
      membership
        .usable(scope.ring)
        .map(({ name, weight }) => `${name}=${weight}`)
        .join();
    const levelFor = usable();
    if (levelFor === '' || levelFor === this.#levelledFor || membership.isUnsettled(scope.ring)) return;
    const now = this.#moves.clock.monotonic();
    if (now < this.#levelPause.until) return;
    const stillRight = (): boolean => usable() === levelFor && !membership.isUnsettled(scope.ring);
    let drained: number;
    try {
      drained = await levelRing(this.#moves, stillRight, signal);
    } catch (error) {
      // Each try lists everything.
      const ms = Math.min(this.#levelPause.ms * 2, longestAgainMs);
      this.#levelPause = { ms, until: now + ms };
      throw error;
    }
    this.#levelPause = { ms: failedMs, until: 0 };
    if (stillRight()) this.#levelledFor = levelFor;
    if (drained > 0) this.#sweepSoon();
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const now = this.#moves.clock.monotonic();
    if (this.#sweepFrom === undefined || now < this.#sweepFrom) return;
    if (this.#drains.count > 0 && now < this.#sweepLatest) return;
    this.#sweepFrom = undefined;
    let found: number;
    try {
      found = await fetchLeftBehind(this.#moves, signal);
    } catch (error) {
      this.#sweepSoon(sweepAgainMs);
      throw error;
    }
    if (found > 0 || this.#drains.count > 0) {
      this.#sweepSoon(this.#sweepAgainMs);
      this.#sweepAgainMs = Math.min(this.#sweepAgainMs * 2, longestAgainMs);
    } else {
      this.#sweepAgainMs = sweepAgainMs;
    }
  }

  #sweepSoon(afterMs = 0): void {
    const now = this.#moves.clock.monotonic();
    if (this.#sweepFrom === undefined) this.#sweepLatest = now + sweepLatestMs;
    this.#sweepFrom = now + afterMs;
  }

  /** Until something happens, at most `ms`. */
  async #idle(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#moves.clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
  }
}
