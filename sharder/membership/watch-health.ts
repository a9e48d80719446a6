import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';

/** Longest silence in which the watch still counts as a view of the present. */
const silenceMs = 5_000;
/** Not run for so long, this process may have before it what happened meanwhile: what it receives then may be old. */
const pauseMs = 1_500;

/**
 * Whether the Lease watch shows the present. Only then does time count against a shard: after an outage of the API
 * server or a pause of this process every Lease gets a full duration, else the whole fleet would look dead.
 */
export class WatchHealth {
  readonly #clock: Clock;
  #connected = false;
  #lastProgress: number;
  #lastTick: number;
  #healthy = false;
  /** Whether what is received follows on a view that was complete: not after a break of the watch or a pause. */
  #confirmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastProgress = this.#lastTick = clock.monotonic();
  }

  /** The watch was accepted; what it has to catch up with is still to come. */
  connected(): void {
    this.#connected = true;
  }

  disconnected(): void {
    this.#connected = false;
    this.#healthy = false;
    this.#confirmed = false;
  }

  /** An event or a bookmark was received. */
  progress(): void {
    this.#lastProgress = this.#clock.monotonic();
  }

  /** All Leases were read, by a request sent at `askedAt` (monotonic ms). */
  confirmed(askedAt: number): void {
    this.#confirmed = true;
    this.#lastProgress = Math.max(this.#lastProgress, askedAt);
  }

  /** Ms since the view was last known to be the present; Infinity when that isn't known at all. */
  get ageMs(): number {
    const now = this.#clock.monotonic();
    if (!this.#confirmed || now - this.#lastTick > pauseMs) return Infinity;
    return now - this.#lastProgress;
  }

  /** To be called several times a second. True once, when the watch is healthy again after it was not. */
  recovered(): boolean {
    const now = this.#clock.monotonic();
    const pausedMs = now - this.#lastTick;
    this.#lastTick = now;
    if (pausedMs > pauseMs) this.#confirmed = false;
    if (pausedMs > silenceMs) this.#healthy = false;
    if (!this.#connected || now - this.#lastProgress > silenceMs) {
      this.#healthy = false;
      return false;
    }
    if (this.#healthy) return false;
    this.#healthy = true;
    return true;
  }

  get healthy(): boolean {
    return this.#healthy;
  }
}
