import type { Clock } from '../runtime/clock.ts';

/** How often the API server sends a bookmark, and how long before it ends a watch. */
const bookmarkMs = 60_000;
const lastBookmarkMs = 2_000;
/** A watch as a test tells it from others. */
export interface WatchInfo {
  user: string;
  /** `secrets`, `leases.coordination.k8s.io`. */
  resource: string;
  namespace: string | undefined;
  labelSelector: string | undefined;
  fieldSelector: string | undefined;
}

/** An open watch: what wakes it, and how it ends. */
export class Watcher {
  readonly info: WatchInfo;
  ended = false;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #error: Error | undefined;
  #bookmarks = 0;
  #wakeUp: () => void = () => {};
  #cancelBookmark: () => void = () => {};
  readonly #endsAt: number;
  readonly #cancelTimeout: () => void;
  readonly #onAbort = (): void => this.wake();

  constructor(clock: Clock, info: WatchInfo, signal: AbortSignal, timeoutSeconds: number) {
    this.#clock = clock;
    this.info = info;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
    const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1_000 : Number.POSITIVE_INFINITY;
    this.#endsAt = clock.monotonic() + timeoutMs;
    this.#cancelTimeout = timeoutSeconds > 0 ? clock.after(timeoutMs, () => this.end()) : () => {};
    this.#bookmarkLater();
  }

  close(): void {
    this.#cancelTimeout();
    this.#cancelBookmark();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  end(error?: Error): void {
    this.ended = true;
    this.#error = error;
    this.wake();
  }

  throwIfEnded(): void {
    this.#signal.throwIfAborted();
    if (this.#error) throw this.#error;
  }

  wantBookmark(): void {
    this.#bookmarks += 1;
    this.wake();
  }

  takeBookmark(): boolean {
    if (this.#bookmarks === 0) return false;
    this.#bookmarks -= 1;
    return true;
  }

  wake(): void {
    this.#wakeUp();
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  /** Whether this time has come; waits for it, or for what wakes the watch before. */
  async until(time: number): Promise<boolean> {
    const leftMs = time - this.#clock.monotonic();
    if (leftMs <= 0) return true;
    const cancel = this.#clock.after(leftMs, () => this.wake());
    await this.wait();
    cancel();
    return false;
  }

  #bookmarkLater(): void {
    const untilLastMs = this.#endsAt - lastBookmarkMs - this.#clock.monotonic();
    const delayMs = untilLastMs > 0 ? Math.min(bookmarkMs, untilLastMs) : bookmarkMs;
    this.#cancelBookmark = this.#clock.after(delayMs, () => {
      this.wantBookmark();
      this.#bookmarkLater();
    });
  }
}
