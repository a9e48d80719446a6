import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';

/** Longest silence in which the watch still counts as a view of the present. */
const silenceMs = 5_000;

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

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastProgress = this.#lastTick = clock.monotonic();
  }

  connected(): void {
    this.#connected = true;
    this.progress();
  }

  disconnected(): void {
    this.#connected = false;
    this.#healthy = false;
  }

  /** Something was received from the API server: an event, a bookmark, an answer. */
  progress(): void {
    this.#lastProgress = this.#clock.monotonic();
  }

  /** Ms since the view was last known to be the present. */
  get ageMs(): number {
    return this.#clock.monotonic() - this.#lastProgress;
  }

  /** To be called several times a second. True once, when the watch is healthy again after it was not. */
  recovered(): boolean {
    const now = this.#clock.monotonic();
    const paused = now - this.#lastTick > silenceMs;
    this.#lastTick = now;
    if (paused) this.#healthy = false;
    if (!this.#connected || this.ageMs > silenceMs) {
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
