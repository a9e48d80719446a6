/** How many are kept; the oldest goes first. Without its hint an object is placed by hash. */
const mostHints = 10_000;

/**
 * Where objects were to go whose drain label has just vanished: a foreign shard answers a drain by removing both
 * labels. Only a hint, never needed to be right.
 */
export class DrainHints {
  readonly #targets = new Map<string, string>();

  remember(uid: string, target: string): void {
    this.#targets.delete(uid);
    if (this.#targets.size >= mostHints) {
      for (const oldest of this.#targets.keys()) {
        this.#targets.delete(oldest);
        break;
      }
    }
    this.#targets.set(uid, target);
  }

  take(uid: string): string | undefined {
    const target = this.#targets.get(uid);
    this.#targets.delete(uid);
    return target;
  }
}
