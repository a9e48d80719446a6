import { fullListMs, longestAgainMs } from './full-list-times.ts';
import { levelRing } from './leveller.ts';
import type { RingMoves } from './ring-moves.ts';

const failedMs = 1_000;
/** What was asked for is seen on the move by then. */
const seenMs = 2_000;

/** Objects on the move, and those of them that their shard doesn't let go of. */
export interface OnTheMove {
  count(): number;
  overdue(): number;
}

/**
 * When the ring is levelled: after a change of the usable shards, while no shard's fate is open, and now and then; once
 * more when moves have ended that a plan could not take into account, or that did not go where they were to go.
 */
export class Levelling {
  readonly #moves: RingMoves;
  readonly #onTheMove: OnTheMove;
  readonly #moved: () => void;
  /** The usable shards between which the ring was levelled last, and when (monotonic ms). */
  #done = { shards: '', at: 0 };
  #pause = { ms: failedMs, until: 0 };
  #again = false;

  /** `moved` is called after each pass: drains may have been asked for, and objects adopted since the one before. */
  constructor(moves: RingMoves, onTheMove: OnTheMove, moved: () => void) {
    this.#moves = moves;
    this.#onTheMove = onTheMove;
    this.#moved = moved;
  }

  /** Objects are on their way elsewhere than was planned. */
  retargeted(): void {
    this.#again = true;
  }

  async level(signal: AbortSignal): Promise<void> {
    const { membership, scope, clock } = this.#moves;
    const shards = this.#usable();
    const now = clock.monotonic();
    const isLevel =
      shards === this.#done.shards && now - this.#done.at < fullListMs && !this.#isDueAgain(now);
    if (shards === '' || isLevel || membership.isUnsettled(scope.ring)) return;
    if (now < this.#pause.until) return;
    const stillRight = (): boolean => this.#usable() === shards && !membership.isUnsettled(scope.ring);
    try {
      this.#again = false;
      const { onTheMove } = await levelRing(this.#moves, stillRight, signal);
      if (onTheMove > this.#onTheMove.overdue()) this.#again = true;
    } catch (error) {
      this.#again = true;
      const ms = Math.min(this.#pause.ms * 2, longestAgainMs);
      this.#pause = { ms, until: now + ms };
      throw error;
    }
    this.#pause = { ms: failedMs, until: 0 };
    if (stillRight()) this.#done = { shards, at: now };
    this.#moved();
  }

  /** When everything has arrived that is going to. */
  #isDueAgain(now: number): boolean {
    const { overdue, count } = this.#onTheMove;
    return this.#again && now - this.#done.at >= seenMs && count() <= overdue();
  }

  #usable(): string {
    const { membership, scope } = this.#moves;
    const names = membership.usable(scope.ring).map(({ name, weight }) => `${name}=${weight}`);
    return names.join();
  }
}
