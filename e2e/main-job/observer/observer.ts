import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { Checker } from './checker.ts';
import { type MachineMs, machineMs, type ObservedEvent } from './events.ts';
import { InOrder } from './in-order.ts';
import type { OwnershipOptions } from './rules/ownership.ts';
import { parseTraceLine } from './trace-event.ts';
import { TraceTail } from './trace-tail.ts';
import { World } from './world.ts';

const pollMs = 100;
/** A process stamps an event and then writes it: by then, it has surely done so. */
const slackMs = 300;

/**
 * Puts together what is watched, traced and reported: the world's present state at once, the rules in the order of time,
 * a moment later.
 */
export class Observer {
  readonly world = new World();
  readonly checker: Checker;
  readonly #clock: Clock;
  readonly #inOrder = new InOrder();
  readonly #tails = new Set<TraceTail>();
  #checkedUntil: MachineMs = 0;
  /** Grows with everything that may have changed the world. */
  changes = 0;

  constructor(clock: Clock, options: OwnershipOptions = {}) {
    this.#clock = clock;
    this.checker = new Checker(options);
  }

  /** Takes an event from any source. */
  readonly emit = (event: ObservedEvent): void => {
    this.world.observe(event);
    this.#inOrder.push(event);
    this.changes++;
  };

  /** Follows a process's trace file, which needn't exist yet. */
  follow(path: string): void {
    const tail = new TraceTail(path, (line) => {
      const event = parseTraceLine(line);
      if (event !== undefined) this.#inOrder.push(event);
    });
    this.#tails.add(tail);
  }

  /** Runs until aborted. Throws an Error when a trace file is no trace. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#poll();
        await this.#clock.sleep(pollMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const tail of this.#tails) await tail.close();
    }
  }

  /** Resolves when everything that happened before this moment has been judged. */
  async judged(signal: AbortSignal): Promise<void> {
    const now = machineMs();
    while (this.#checkedUntil <= now) await this.#clock.sleep(pollMs / 2, signal);
  }

  async #poll(): Promise<void> {
    const watermark = machineMs() - slackMs;
    for (const tail of this.#tails) await tail.poll();
    for (const event of this.#inOrder.release(watermark)) this.checker.observe(event);
    this.#checkedUntil = watermark;
  }
}
