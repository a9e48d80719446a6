/**
 * When something runs. They start in this order, and stop in the opposite one:
 *
 * - `server`: what is asked from outside, such as health and metrics
 * - `cache`: what the others read
 * - `replica`: work of every replica, such as a webhook
 * - `leader`: work of the leader alone, such as controllers
 */
export const stages = ['server', 'cache', 'replica', 'leader'] as const;
export type Stage = (typeof stages)[number];

export interface Runnable {
  /** For logs and errors. */
  name: string;
  /** Default: `leader`. */
  stage?: Stage | undefined;
  /**
   * Runs until the signal is aborted, then ends what it has under way. `atOnce` is aborted, too, when there is no time
   * for that. It may end sooner, having done its work; an error ends the manager.
   */
  run(signal: AbortSignal, atOnce: AbortSignal): Promise<void>;
  /** The next stage waits for it. */
  waitForSync?(signal: AbortSignal): Promise<void>;
}

/** The runnables of one stage. */
export class RunnableGroup {
  readonly #runnables: Runnable[] = [];
  readonly #running = new Map<Runnable, Promise<void>>();
  readonly #unsynced = new Set<string>();
  readonly #stop = new AbortController();

  add(runnable: Runnable): void {
    this.#runnables.push(runnable);
  }

  /** Names of those that run. */
  get running(): string[] {
    return [...this.#running.keys()].map(({ name }) => name);
  }

  /** Names of those that have been started, and not synced yet. */
  get unsynced(): string[] {
    return [...this.#unsynced];
  }

  /** `failed` is told of errors. */
  start(atOnce: AbortSignal, failed: (error: unknown) => void): void {
    for (const runnable of this.#runnables) {
      const running = (async () => {
        try {
          await runnable.run(this.#stop.signal, atOnce);
        } catch (error) {
          if (!isOwnStop(error, this.#stop.signal)) failed(error);
        }
      })();
      const ended = running.then(() => void this.#running.delete(runnable));
      this.#running.set(runnable, ended);
    }
  }

  /** Rejects with the signal's reason when it is aborted first. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    const waiting = this.#runnables.map(async (runnable) => {
      this.#unsynced.add(runnable.name);
      await runnable.waitForSync?.(signal);
      this.#unsynced.delete(runnable.name);
    });
    await Promise.all(waiting);
  }

  /** Tells all to end; resolves when all have ended. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the manager is stopping'));
    await Promise.all(this.#running.values());
  }
}

/** Some reject with the reason of the signal that ended them: that is no failure. */
const isOwnStop = (error: unknown, signal: AbortSignal): boolean => signal.aborted && error === signal.reason;

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
