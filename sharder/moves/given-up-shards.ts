import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { settleMs, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { isGivenUp } from '../membership/shard-state.ts';
import { isMissingRight } from '../rings/missing-rights.ts';
import { isPlaced } from '../rings/ring-scope.ts';
import { emptyDeadShard } from './dead-shards.ts';
import { longestAgainMs } from './full-list-times.ts';
import type { RingMoves } from './ring-moves.ts';

/** So long names of no Lease may keep a round of moves, and so the shards that die meanwhile, waiting. */
const nameOnlyMs = 500;

/** The shards that are given up: finds them, by their Leases and by labels that name no Lease, and empties them. */
export class GivenUpShards {
  readonly #moves: RingMoves;
  readonly #syncPeriodMs: number;
  readonly #moved: () => void;
  /** When (monotonic ms) the objects of each have to be listed (again). */
  readonly #toEmpty = new Map<string, { at: number; last: boolean }>();
  #namesListedAt = -Infinity;
  #listNames = true;

  /** `moved` is called when a shard was emptied. */
  constructor(moves: RingMoves, syncPeriodMs: number, moved: () => void) {
    this.#moves = moves;
    this.#syncPeriodMs = syncPeriodMs;
    this.#moved = moved;
  }

  membershipChanged(): void {
    this.#listNames = true;
  }

  /** Something carries the shard's name although it is given up. */
  note(shard: string): void {
    this.#toEmpty.set(shard, { at: this.#moves.clock.monotonic(), last: false });
  }

  async find(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const now = clock.monotonic();
    for (const { shard } of membership.shards(scope.ring)) {
      if (!membership.isGivenUp(scope.ring, shard)) this.#toEmpty.delete(shard);
      else if (!this.#toEmpty.has(shard)) this.note(shard);
    }
    for (const [shard, due] of this.#toEmpty) {
      if (due.at === Infinity && !membership.shards(scope.ring).some((view) => view.shard === shard)) {
        this.#toEmpty.delete(shard);
      }
    }
    if (!this.#listNames && now - this.#namesListedAt < this.#syncPeriodMs) return;
    this.#listNames = false;
    try {
      for (const shard of await this.#namesOfNoLiveShard(signal)) {
        if (membership.isGivenUp(scope.ring, shard)) this.note(shard);
      }
      this.#namesListedAt = now;
    } catch (error) {
      this.#listNames = true;
      throw error;
    }
  }

  /** Those that have a Lease first; of the names of no Lease, which anybody can write, as many as the time allows. */
  async empty(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const errors: unknown[] = [];
    const leased = new Set(membership.shards(scope.ring).map(({ shard }) => shard));
    const until = clock.monotonic() + nameOnlyMs;
    let forgotten = false;
    const names = [...this.#toEmpty.keys()];
    for (const shard of names.toSorted((a, b) => Number(leased.has(b)) - Number(leased.has(a)))) {
      const due = this.#toEmpty.get(shard);
      if (due === undefined) continue;
      if (!leased.has(shard) && clock.monotonic() >= until) break;
      if (clock.monotonic() < due.at || !membership.isGivenUp(scope.ring, shard)) continue;
      if (membership.usable(scope.ring).length === 0) break;
      try {
        if (!(await emptyDeadShard(this.#moves, shard, signal))) continue;
      } catch (error) {
        signal.throwIfAborted();
        // The ring's status tells of it; what could be moved was.
        if (isMissingRight(error)) {
          this.#toEmpty.set(shard, { at: clock.monotonic() + longestAgainMs, last: false });
          continue;
        }
        // An object of this shard that can't be moved keeps no other shard's waiting.
        errors.push(error);
        continue;
      }
      this.#moved();
      // A webhook or a deposed leader may still act on an older view: one more look when they no longer can.
      const known = membership.shards(scope.ring).some((view) => view.shard === shard);
      if (due.last && !known) {
        this.#toEmpty.delete(shard);
        membership.forgetAbsent(scope.ring, shard);
        forgotten = true;
      } else this.#toEmpty.set(shard, { at: due.last ? Infinity : clock.monotonic() + settleMs, last: true });
    }
    // There is room for names now that had to wait.
    if (forgotten && [...this.#toEmpty.keys()].every((shard) => leased.has(shard))) this.#listNames = true;
    if (errors.length > 0) throw errors[0];
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
        for (const object of items) {
          if (isPlaced(scope, main.resource, object)) names.add(object.metadata.labels?.[label] ?? '');
        }
      }
    }
    return names;
  }
}
