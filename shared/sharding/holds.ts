/** Who works on which objects, by uid: reconciles share an object, a hand-over has it alone. */
export class Holds {
  readonly #shared = new Map<string, number>();
  readonly #alone = new Set<string>();
  readonly #waiting = new Map<string, Map<string, () => void>>();

  get size(): number {
    return this.#shared.size + this.#alone.size + this.#waiting.size;
  }

  /** The first of them that somebody has alone. */
  heldAlone(uids: readonly string[]): string | undefined {
    return uids.find((uid) => this.#alone.has(uid));
  }

  /** To be asked only for objects that nobody has alone. Gives them back when called, once. */
  share(uids: readonly string[]): () => void {
    for (const uid of uids) this.#shared.set(uid, (this.#shared.get(uid) ?? 0) + 1);
    return () => {
      for (const uid of uids) {
        const left = (this.#shared.get(uid) ?? 1) - 1;
        if (left > 0) this.#shared.set(uid, left);
        else this.#shared.delete(uid);
        this.#released(uid);
      }
    };
  }

  /** Undefined while anybody holds it. */
  alone(uid: string): (() => void) | undefined {
    if (this.#shared.has(uid) || this.#alone.has(uid)) return undefined;
    this.#alone.add(uid);
    return () => {
      this.#alone.delete(uid);
      this.#released(uid);
    };
  }

  /** Calls once, when next nobody holds the object; the same `id` again replaces the call. */
  whenFree(uid: string, id: string, call: () => void): void {
    const waiting = this.#waiting.get(uid) ?? new Map<string, () => void>();
    this.#waiting.set(uid, waiting.set(id, call));
  }

  #released(uid: string): void {
    if (this.#shared.has(uid) || this.#alone.has(uid)) return;
    const waiting = this.#waiting.get(uid);
    this.#waiting.delete(uid);
    for (const call of waiting?.values() ?? []) call();
  }
}
