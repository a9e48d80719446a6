/** A thing that happens once, and that can be waited for. */
export class Latch {
  readonly #waiting = new Set<() => void>();
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    this.#isOpen = true;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Resolves when the latch is open; rejects with the signal's reason when it is aborted first. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#isOpen) {
        resolve();
        return;
      }
      const opened = (): void => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = (): void => {
        this.#waiting.delete(opened);
        reject(signal.reason);
      };
      this.#waiting.add(opened);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
