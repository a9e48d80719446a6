import { fullListMs, longestAgainMs } from './full-list-times.ts';
import { levelRing } from './leveller.ts';
import type { RingMoves } from './ring-moves.ts';

const failedMs = 1_000;

/** When the ring is levelled: after a change of the usable shards, while no shard's fate is open, and now and then. */
export class Levelling {
  readonly #moves: RingMoves;
  readonly #moved: () => void;
  /** The usable shards between which the ring was levelled last, and when (monotonic ms). */
  #done = { shards: '', at: 0 };
  #pause = { ms: failedMs, until: 0 };

  /** `moved` is called after each pass: drains may have been asked for, and objects adopted since the one before. */
  constructor(moves: RingMoves, moved: () => void) {
    this.#moves = moves;
    this.#moved = moved;
  }

  async level(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const shards = this.#usable();
    const now = clock.monotonic();
    const isLevel = shards === this.#done.shards && now - this.#done.at < fullListMs;
    if (shards === '' || isLevel || membership.isUnsettled(scope.ring)) return;
    if (now < this.#pause.until) return;
    const stillRight = (): boolean => this.#usable() === shards && !membership.isUnsettled(scope.ring);
    try {
      await levelRing(this.#moves, stillRight, signal);
    } catch (error) {
      const ms = Math.min(this.#pause.ms * 2, longestAgainMs);
      this.#pause = { ms, until: now + ms };
      throw error;
    }
    this.#pause = { ms: failedMs, until: 0 };
    if (stillRight()) this.#done = { shards, at: now };
    this.#moved();
  }

  #usable(): string {
    const { membership, scope } = this.#moves;
    const names = membership.usable(scope.ring).map(({ name, weight }) => `${name}=${weight}`);
    return names.join();
  }
}
