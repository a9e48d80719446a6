import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { waitFor } from '../harness/wait-for.ts';
import { aside } from './moves-cluster.ts';
import { type MovesObserver, type Observed, shardOf } from './moves-observer.ts';
import type { RawRequest, RawWrite } from './moves-raw.ts';

/** Before each side: none has to bear what the other has left to do. */
export const restMs = 2_000;

/** Does once more, without a thought, what the sharder and its shards have just done. */
export class RawSide {
  readonly #kubeconfig: string;
  readonly #observer: MovesObserver;
  readonly #signal: AbortSignal;
  readonly #child: ChildProcess;
  /** Rejects when the client has ended before it was told to. */
  readonly #ended: Promise<never>;

  constructor(kubeconfig: string, observer: MovesObserver, signal: AbortSignal) {
    this.#kubeconfig = kubeconfig;
    this.#observer = observer;
    this.#signal = signal;
    this.#child = fork(fileURLToPath(new URL('./moves-raw.ts', import.meta.url)), [], {
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      signal,
      killSignal: 'SIGKILL',
    });
    this.#child.on('error', () => {}); // aborted
    this.#ended = once(this.#child, 'exit').then(() => {
      throw new Error('the raw client has ended');
    });
    this.#ended.catch(() => {}); // told to whoever waits
  }

  /**
   * Puts the owners that have moved, and their children, back to where they were (aside, when that shard is gone), and
   * then, which is what counts, to where they are now.
   */
  async repeat({ moved }: Pick<Observed, 'moved'>, isGone: (shard: string) => boolean): Promise<Observed> {
    const uids = [...moved.keys()];
    const targets = new Map(
      this.#observer.pairs(uids).map(({ owner }) => [owner.metadata.uid ?? '', shardOf(owner) ?? '']),
    );
    await this.#write(uids, (uid) => {
      const before = moved.get(uid) ?? '';
      return isGone(before) ? aside : before;
    });
    await clock.sleep(restMs, this.#signal);
    return this.#write(uids, (uid) => targets.get(uid) ?? '');
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #write(uids: readonly string[], target: (uid: string) => string): Promise<Observed> {
    const writes = this.#observer.pairs(uids).flatMap(({ owner, child }): RawWrite[] => {
      const to = target(owner.metadata.uid ?? '');
      return [
        { what: 'child', object: child, to },
        { what: 'owner', object: owner, to },
      ];
    });
    this.#observer.begin();
    this.#child.send({ kubeconfig: this.#kubeconfig, writes } satisfies RawRequest);
    await Promise.race([once(this.#child, 'message', { signal: this.#signal }), this.#ended]);
    await waitFor('the observer to see them all', () => this.#observer.writes >= writes.length, {
      signal: this.#signal,
    });
    return this.#observer.observed;
  }
}
