import type { MoveFigures } from '../metrics/move-gauges.ts';
import { isMissingRight } from '../rings/missing-rights.ts';
import { Assigner } from './assigner.ts';
import { isShardEmpty } from './dead-shards.ts';
import { DrainHints } from './drain-hints.ts';
import { DrainTimes } from './drain-times.ts';
import { DrainingShards } from './draining-shards.ts';
import { Drains } from './drains.ts';
import { GivenUpShards } from './given-up-shards.ts';
import { inTurn } from './in-turn.ts';
import { Leaving } from './leaving.ts';
import { Levelling } from './levelling.ts';
import { OverdueDrains, type OverduePolicy } from './overdue-drains.ts';
import { Pins } from './pins.ts';
import type { RingMoves } from './ring-moves.ts';
import { Sweep } from './sweep.ts';

export interface MoverOptions {
  /** Default: a shard is told of after 5 min, and nothing is taken from it. */
  overdue?: OverduePolicy | undefined;
  /** Called once nothing of the resources that left the ring carries its labels any more. */
  noneLeft?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

type Step = (signal: AbortSignal) => Promise<void>;

const idleMs = 1_000;
const failedMs = 1_000;
const forbiddenMs = 10_000;
/** Resources of which nothing can be read keep the others waiting no longer. */
const syncMs = 5_000;

/**
 * All moves of one ring, while this process leads. Objects without a shard are served at once, beside the rounds that
 * follow a change of the membership: dead shards first, then stranded drains, then pins, then what leaves the ring or
 * its shard, then levelling, then what was left behind.
 */
export class RingMover {
  readonly #moves: RingMoves;
  readonly #assigner: Assigner;
  readonly #drains: Drains;
  readonly #overdue: OverdueDrains;
  readonly #pins: Pins;
  readonly #givenUp: GivenUpShards;
  readonly #sweep: Sweep;
  /** What a round does, in this order. */
  readonly #steps: ReadonlyArray<Step>;
  /** Until when (monotonic ms) steps wait that lack a right: the ring's status tells of it. */
  readonly #waiting = new Map<Step, number>();
  /** Grows with each change of the membership. */
  #version = 0;
  #wake: () => void = () => undefined;

  constructor(moves: RingMoves, syncPeriodMs: number, options: MoverOptions = {}) {
    this.#moves = moves;
    const hints = new DrainHints();
    const overdue = new OverdueDrains(moves, options.overdue ?? { drainTimeoutMs: 300_000, takeOver: false });
    const drains = new Drains(moves, hints, [overdue, new DrainTimes(moves)]);
    const pins = new Pins(moves, moves.events, () => this.#wake());
    // What a shard doesn't answer is not waited for.
    const sweep = new Sweep(moves, () => drains.count - overdue.count);
    const moved = (): void => sweep.soon();
    const givenUp = new GivenUpShards(moves, syncPeriodMs, moved);
    const draining = new DrainingShards(moves, syncPeriodMs, moved);
    const leaving = new Leaving(moves, drains, options.noneLeft ?? (() => Promise.resolve()));
    const onTheMove = { count: () => drains.count, overdue: () => overdue.count };
    const levelling = new Levelling(moves, onTheMove, moved);
    this.#assigner = new Assigner(moves, hints);
    this.#drains = drains;
    this.#overdue = overdue;
    this.#pins = pins;
    this.#givenUp = givenUp;
    this.#sweep = sweep;
    this.#steps = [
      (signal) => givenUp.find(signal),
      (signal) => givenUp.empty(signal),
      () => drains.retarget(() => levelling.retargeted()),
      () => pins.apply(),
      (signal) => draining.drain(signal),
      (signal) => leaving.letGo(signal),
      (signal) => levelling.level(signal),
      (signal) => sweep.sweep(signal),
    ];
  }

  get unassigned(): number {
    return this.#assigner.unassigned;
  }

  get draining(): number {
    return this.#drains.count;
  }

  /** Objects whose shard does not let go of them, for longer than it should take. */
  get overdue(): number {
    return this.#overdue.count;
  }

  get figures(): MoveFigures {
    return {
      unassigned: this.#assigner.counts,
      draining: this.#drains.counts,
      overdue: this.#overdue.counts,
    };
  }

  membershipChanged(): void {
    this.#version += 1;
    this.#drains.membershipChanged();
    this.#pins.membershipChanged();
    this.#givenUp.membershipChanged();
    this.#wake();
  }

  /** Whether a list made now finds nothing that carries the name. If it does, its objects are moved. */
  async isEmpty(shard: string, signal: AbortSignal): Promise<boolean> {
    if (await isShardEmpty(this.#moves, shard, signal)) return true;
    this.#givenUp.note(shard);
    this.#sweep.soon();
    this.#wake();
    return false;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, scope } = this.#moves;
    const parts = [this.#assigner, this.#drains, this.#pins, this.#overdue];
    const running = parts.map((part) => part.run(signal));
    await this.#untilSynced(signal);
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

  async #untilSynced(signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const ended = AbortSignal.any([signal, enough.signal]);
    const synced = this.#drains.waitForSync(ended);
    await Promise.race([synced, this.#moves.clock.sleep(syncMs, ended)]).catch(() => undefined);
    enough.abort();
    await synced.catch(() => undefined);
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock } = this.#moves;
    await inTurn(this.#steps, signal, async (step) => {
      if (clock.monotonic() < (this.#waiting.get(step) ?? 0)) return;
      try {
        await step(signal);
      } catch (error) {
        if (!isMissingRight(error)) throw error;
        this.#waiting.set(step, clock.monotonic() + forbiddenMs);
      }
    });
  }

  /** Until something happens, at most `ms`. */
  async #idle(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#moves.clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
  }
}
