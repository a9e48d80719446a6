/** Grows from here by doubling, until the API server had enough for the first time. */
const first = 10;
/** Latencies up to here are never a reason for fewer moves: where they only grow with the moves, fewer gain nothing. */
const acceptableMs = 250;
/** Of an API server far away: so many times the least latency there was. */
const acceptableTimes = 4;
/** What was under way at a cut says once more what led to it. */
const betweenCutsMs = 1_000;

/**
 * How many requests at once an API server can bear, by its answers: additive increase, multiplicative decrease (Chiu &
 * Jain, 1989). Halved when it was overloaded, cut in proportion when its latency grows beyond what is acceptable; grows
 * only while it is used. Between 1 and `most`. Pure: times are given, in monotonic ms.
 */
export class AdaptiveLimit {
  readonly #most: number;
  #limit: number;
  #untried = true;
  #leastMs = Infinity;
  #answers = 0;
  #sumMs = 0;
  #cutAt = -Infinity;

  constructor(most: number) {
    this.#most = most;
    this.#limit = Math.min(first, most);
  }

  get value(): number {
    return Math.floor(this.#limit);
  }

  /** A request was answered, `inUse` being under way with it. */
  answered(latencyMs: number, inUse: number, now: number): void {
    this.#answers += 1;
    this.#sumMs += latencyMs;
    if (this.#answers < this.#limit) return;
    const averageMs = this.#sumMs / this.#answers;
    this.#answers = 0;
    this.#sumMs = 0;
    this.#leastMs = Math.min(this.#leastMs, averageMs);
    const mostMs = Math.max(acceptableMs, this.#leastMs * acceptableTimes);
    // As slow as that with one at a time: the API server is further away than it was.
    if (averageMs > mostMs && this.value === 1) this.#leastMs = averageMs;
    else if (averageMs > mostMs) this.#cut(Math.max(mostMs / averageMs, 0.5), now);
    else if (inUse * 2 >= this.value) this.#grow();
  }

  /** It said that it is overloaded, or said nothing in time. */
  overloaded(now: number): void {
    this.#cut(0.5, now);
  }

  #grow(): void {
    this.#limit = Math.min(this.#most, this.#untried ? this.#limit * 2 : this.#limit + 1);
  }

  #cut(factor: number, now: number): void {
    if (now - this.#cutAt < betweenCutsMs) return;
    this.#cutAt = now;
    this.#untried = false;
    this.#answers = 0;
    this.#sumMs = 0;
    this.#limit = Math.max(1, this.#limit * factor);
  }
}
