import { settleMs } from '@controller-sharding/shared/sharding/contract.ts';
import { drainShard } from './drained-shards.ts';
import type { RingMoves } from './ring-moves.ts';

/** The shards that people drain: asks each to let go of what it has, again and again while it is to be drained. */
export class DrainingShards {
  readonly #moves: RingMoves;
  readonly #syncPeriodMs: number;
  readonly #moved: () => void;
  /** When (monotonic ms) the objects of each have to be listed (again). */
  readonly #due = new Map<string, number>();

  /** `moved` is called when drains were asked for. */
  constructor(moves: RingMoves, syncPeriodMs: number, moved: () => void) {
    this.#moves = moves;
    this.#syncPeriodMs = syncPeriodMs;
    this.#moved = moved;
  }

  async drain(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const { draining, usable } = membership.ring(scope.ring);
    for (const shard of this.#due.keys()) if (!draining.includes(shard)) this.#due.delete(shard);
    for (const shard of draining) {
      if (usable.length === 0 || clock.monotonic() < (this.#due.get(shard) ?? 0)) continue;
      if ((await drainShard(this.#moves, shard, signal)) > 0) this.#moved();
      // Whoever acts on an older view may give it something for a while.
      const first = !this.#due.has(shard);
      this.#due.set(shard, clock.monotonic() + (first ? settleMs : this.#syncPeriodMs));
    }
  }
}
