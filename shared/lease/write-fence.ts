import type { Clock } from '../runtime/clock.ts';

/** A write was refused before it was sent: the Lease behind it was not renewed in time. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
  readonly code = 'LEASE_FENCED';
}

const longestWriteMs = 4_000;
const marginMs = 1_000;

/**
 * Keeps a process from writing on a Lease that others may by then hold for dead. Everything counts, on the monotonic
 * clock, from the moment at which the last successful renewal was *sent*: no write starts after 2/3 of the duration,
 * none lives longer than 4 s or into the last second. So a process that was frozen writes nothing after it wakes.
 */
export class WriteFence {
  readonly #clock: Clock;
  readonly #durationMs: number;
  #renewalSentAt: number | undefined;
  #closed = false;

  constructor(clock: Clock, durationMs: number) {
    this.#clock = clock;
    this.#durationMs = durationMs;
  }

  /** Answers may come out of order, and after `close`: neither makes an older renewal count. */
  renewed(sentAt: number): void {
    if (!this.#closed) this.#renewalSentAt = Math.max(this.#renewalSentAt ?? sentAt, sentAt);
  }

  /** For good. */
  close(): void {
    this.#closed = true;
    this.#renewalSentAt = undefined;
  }

  /** Ms until no write may start any more; 0 or less: the Lease has to be given up. */
  get startableMs(): number {
    if (this.#renewalSentAt === undefined) return 0;
    return this.#renewalSentAt + (this.#durationMs * 2) / 3 - this.#clock.monotonic();
  }

  /** Ms that a write which starts now may take. Throws FencedError when none may start. */
  permit(): number {
    if (this.#renewalSentAt === undefined) throw new FencedError('not written: the Lease is not held');
    if (this.startableMs <= 0) throw new FencedError('not written: the Lease was not renewed in time');
    const end = this.#renewalSentAt + this.#durationMs - marginMs;
    const allowedMs = Math.floor(Math.min(longestWriteMs, end - this.#clock.monotonic()));
    // Of a Lease shorter than 3 s the last second begins before 2/3 have passed.
    if (allowedMs <= 0) throw new FencedError('not written: the Lease ends too soon');
    return allowedMs;
  }
}
