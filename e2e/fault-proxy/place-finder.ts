import type { Place } from './fault.ts';

const newline = 0x0a;

/** Finds the place in an answer's body, whatever chunks that comes in. */
export class PlaceFinder {
  #lines: number;
  #bytes: number;

  constructor(place: Exclude<Place, 'request' | 'answer'>) {
    if (place === 'head') {
      this.#lines = 0;
      this.#bytes = 0;
    } else {
      this.#lines = 'lines' in place ? place.lines : 0;
      this.#bytes = place.bytes ?? 0;
    }
  }

  /** The place is right here, before any further chunk. */
  get here(): boolean {
    return this.#lines === 0 && this.#bytes === 0;
  }

  /** How much of the next chunk comes before the place; undefined when all of it does. */
  find(chunk: Buffer): number | undefined {
    let start = 0;
    while (this.#lines > 0) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) return undefined;
      this.#lines -= 1;
      start = end + 1;
    }
    const taken = Math.min(this.#bytes, chunk.length - start);
    this.#bytes -= taken;
    return this.#bytes === 0 ? start + taken : undefined;
  }
}
