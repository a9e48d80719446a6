import type { Keeper, KeptProcess } from './keeper-client.ts';
import type { ProcessEnd } from './keeper-protocol.ts';

export interface DaemonSpec {
  name: string;
  command: string;
  args: string[];
  /** The whole environment. */
  env: Record<string, string>;
  cwd: string;
  logFile: string;
}

/** A program that can be started again with the same arguments, one process at a time. */
export class Daemon {
  readonly spec: DaemonSpec;
  readonly #keeper: Keeper;
  #process: KeptProcess | undefined;
  #ended: Promise<ProcessEnd> = new Promise(() => {});
  #stopping = false;
  #unexpectedEnd: ProcessEnd | undefined;

  constructor(keeper: Keeper, spec: DaemonSpec) {
    this.#keeper = keeper;
    this.spec = spec;
  }

  /** Undefined while it doesn't run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** How the process started last ended when nobody had asked for it; undefined as long as that hasn't happened. */
  get unexpectedEnd(): ProcessEnd | undefined {
    return this.#unexpectedEnd;
  }

  /** The end of the process started last; pending before the first start. */
  get ended(): Promise<ProcessEnd> {
    return this.#ended;
  }

  async start(): Promise<void> {
    if (this.#process) throw new Error(`${this.spec.name} runs already`);
    this.#stopping = false;
    this.#unexpectedEnd = undefined;
    const { command, args, env, cwd, logFile } = this.spec;
    const started = await this.#keeper.start({ command, args, env, cwd, logFile });
    this.#process = started;
    this.#ended = started.exited.then((end) => {
      this.#process = undefined;
      if (!this.#stopping) this.#unexpectedEnd = end;
      return end;
    });
  }

  /** Sends a signal; nothing happens when it doesn't run. An end that follows counts as unexpected; see `stop`. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.signal(signal);
  }

  /** Sends the signal, and SIGKILL when it still runs `graceMs` later. Resolves when it has ended. */
  async stop(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    const running = this.#process;
    if (!running) return;
    this.#stopping = true;
    await running.signal('SIGCONT'); // one that is paused would never see the signal
    await running.signal(signal);
    const kill = setTimeout(() => void running.signal('SIGKILL').catch(() => {}), graceMs);
    await this.#ended;
    clearTimeout(kill);
  }
}
