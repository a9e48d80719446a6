import type { MachineMs, ObservedEvent } from './events.ts';

/**
 * Brings events from several sources into the order of their time. What is older than a watermark, up to which every
 * source has told all it knows, can be released.
 */
export class InOrder {
  #waiting: ObservedEvent[] = [];

  push(event: ObservedEvent): void {
    this.#waiting.push(event);
  }

  /** The events up to the watermark, oldest first, ended by the word that they are all; one that came late comes first. */
  release(watermark: MachineMs): ObservedEvent[] {
    const due = this.#waiting.filter(({ at }) => at <= watermark);
    this.#waiting = this.#waiting.filter(({ at }) => at > watermark);
    due.sort((a, b) => a.at - b.at);
    due.push({ kind: 'time', at: watermark });
    return due;
  }
}
