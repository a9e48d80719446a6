import { type Clock, systemClock } from '@controller-sharding/shared/runtime/clock.ts';

/** Real time, `speed` times as fast: what waits for minutes is seen to end within seconds. Its hands can be moved. */
export class AcceleratedClock implements Clock {
  readonly #speed: number;
  readonly #startedAt = performance.now();
  #wallJumpMs = 0;
  #leapMs = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  monotonic(): number {
    return (performance.now() - this.#startedAt) * this.#speed + this.#leapMs;
  }

  now(): Date {
    return new Date(Date.now() + this.#wallJumpMs);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms / this.#speed, signal);
  }

  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms / this.#speed, callback);
  }

  /** Somebody sets the time of day: forward, or back by a negative number. */
  setWallClock(byMs: number): void {
    this.#wallJumpMs += byMs;
  }

  /** Time passes in which nothing of this process ran, and no timer fired. */
  leap(byMs: number): void {
    this.#leapMs += byMs;
  }
}
