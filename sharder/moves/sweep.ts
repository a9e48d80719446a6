import { longestAgainMs } from './full-list-times.ts';
import { fetchLeftBehind } from './left-behind.ts';
import type { RingMoves } from './ring-moves.ts';

const againMs = 2_000;
/** How long it waits for moves to end. */
const latestMs = 10_000;

/** After moves: looks for controlled objects that were left behind, until a look finds none. */
export class Sweep {
  readonly #moves: RingMoves;
  readonly #underway: () => number;
  #from: number | undefined;
  #latest = 0;
  #againMs = againMs;

  /** `underway` says how many objects are on the move. */
  constructor(moves: RingMoves, underway: () => number) {
    this.#moves = moves;
    this.#underway = underway;
  }

  soon(afterMs = 0): void {
    const now = this.#moves.clock.monotonic();
    if (this.#from === undefined) this.#latest = now + latestMs;
    this.#from = now + afterMs;
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const now = this.#moves.clock.monotonic();
    if (this.#from === undefined || now < this.#from) return;
    if (this.#underway() > 0 && now < this.#latest) return;
    this.#from = undefined;
    let found: number;
    try {
      found = await fetchLeftBehind(this.#moves, signal);
    } catch (error) {
      this.soon(againMs);
      throw error;
    }
    if (found > 0 || this.#underway() > 0) {
      this.soon(this.#againMs);
      this.#againMs = Math.min(this.#againMs * 2, longestAgainMs);
    } else {
      this.#againMs = againMs;
    }
  }
}
