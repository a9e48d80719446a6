import type { Clock } from '../runtime/clock.ts';

/** What the server gives an object that is created. */
export interface SystemFields {
  uid: string;
  now: Date;
  /** The end of a generated name. */
  suffix: string;
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;

/** Counts, instead of drawing lots as the real one does: the same test gives the same names. */
export class SystemFieldSource {
  readonly #clock: Clock;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): SystemFields {
    this.#count += 1;
    let suffix = '';
    for (
      let rest = this.#count;
      suffix.length < suffixLength;
      rest = Math.floor(rest / suffixLetters.length)
    ) {
      suffix = suffixLetters.charAt(rest % suffixLetters.length) + suffix;
    }
    return { uid: `uid-${this.#count}`, now: this.#clock.now(), suffix };
  }
}
