import { cpSync } from 'node:fs';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEFAULT_FOLDER = fileURLToPath(new URL('../../logs', import.meta.url));
/** Failed runs of which the logs are kept; older ones are removed. */
const KEPT_RUNS = 20;
const RUN_NAME = /^run-\d{8}T\d{9}Z-\d+$/;

const runName = (): string => `run-${new Date().toISOString().replaceAll(/[-:.]/g, '')}-${process.pid}`;

/** Keeps the logs of one run, if it fails, in a folder of their own: `logs/run-<time>-<pid>` of the repository. */
export class RunLogs {
  readonly #source: string;
  readonly #target: string;
  readonly #parent: string;
  readonly #onExit: (code: number) => void;

  /** From now on, the logs are also kept when this process ends by itself with a code other than 0. */
  constructor(source: string, parent: string = DEFAULT_FOLDER) {
    this.#source = source;
    this.#parent = parent;
    this.#target = join(parent, runName());
    this.#onExit = (code) => {
      if (code !== 0) this.#keepNow();
    };
    process.on('exit', this.#onExit);
  }

  /** Copies the logs and returns where to. */
  async keep(): Promise<string> {
    await mkdir(this.#target, { recursive: true });
    await cp(this.#source, this.#target, { recursive: true });
    const runs = (await readdir(this.#parent)).filter((name) => RUN_NAME.test(name)).toSorted();
    for (const run of runs.slice(0, -KEPT_RUNS)) await rm(join(this.#parent, run), { recursive: true });
    return this.#target;
  }

  /** The run is over, and its end is no longer watched. */
  close(): void {
    process.off('exit', this.#onExit);
  }

  #keepNow(): void {
    try {
      cpSync(this.#source, this.#target, { recursive: true });
      process.stderr.write(`The logs of the control plane are kept in ${this.#target}\n`);
    } catch {
      // This process ends because of another error; that one is to be seen.
    }
  }
}
