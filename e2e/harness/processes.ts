import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { Daemon } from './daemon.ts';
import { HarnessError } from './errors.ts';
import { Keeper } from './keeper-client.ts';
import type { ProcessEnd } from './keeper-protocol.ts';
import { fileSize, LogLines, lastLines } from './log-lines.ts';
import { waitFor } from './wait-for.ts';

const READY_TIMEOUT_MS = 20_000;
const GRACE_MS = 10_000;
/** As a kubelet's first restart of a container. */
const RESTART_AFTER_MS = 1_000;
const LOOK_EVERY_MS = 20;
const LOG_LINES_SHOWN = 3;

/** What shows that a process is ready: a line of its output, or an address that answers GET with 2xx. */
export type Readiness = { line: RegExp } | { url: string };

export interface ProcessOptions {
  /** For messages. */
  name: string;
  /** Default: the Node that runs this. */
  command?: string | undefined;
  args: string[];
  /** Added to this process's environment; undefined removes a variable. */
  env?: Record<string, string | undefined> | undefined;
  cwd?: string | undefined;
  /** Gets all output, appended. Its folder must exist. */
  logFile: string;
  /** Default: ready as soon as it runs. */
  ready?: Readiness | undefined;
  /** Default 20,000. */
  readyTimeoutMs?: number | undefined;
  /** Starts it again, a second after it ended with a code other than 0 or by a signal, as a kubelet does. Default false. */
  restart?: boolean | undefined;
  /** Stops it. */
  signal?: AbortSignal | undefined;
}

/**
 * Starts a program and resolves when it is ready. It never outlives this process. Throws HarnessError `START_FAILED`
 * when it ends before it is ready (and isn't restarted), `NOT_READY` when that takes too long; it is stopped then.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  options.signal?.throwIfAborted();
  const running = await RunningProcess.start(options);
  try {
    await running.untilReady();
  } catch (error) {
    await running.stop('SIGKILL');
    throw error;
  }
  return running;
}

function environment(changes: Record<string, string | undefined> = {}): Record<string, string> {
  const all = Object.entries({ ...process.env, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A program under the harness, over all its restarts. */
export class RunningProcess {
  readonly name: string;
  readonly logFile: string;
  /** How it ended for good: it is not started again. Never rejects. */
  readonly exited: Promise<ProcessEnd>;
  readonly #options: ProcessOptions;
  readonly #daemon: Daemon;
  readonly #stopping = new AbortController();
  #logStart: number;
  #restarts = 0;
  #over = false;

  private constructor(options: ProcessOptions, daemon: Daemon, logStart: number) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.#options = options;
    this.#daemon = daemon;
    this.#logStart = logStart;
    const onAbort = (): void => void this.stop().catch(() => {});
    options.signal?.addEventListener('abort', onAbort);
    this.exited = this.#supervise().finally(() => {
      this.#over = true;
      options.signal?.removeEventListener('abort', onAbort);
    });
  }

  /** Use `startProcess`. */
  static async start(options: ProcessOptions): Promise<RunningProcess> {
    const daemon = new Daemon(Keeper.shared(), {
      name: options.name,
      command: options.command ?? process.execPath,
      args: options.args,
      env: environment(options.env),
      cwd: options.cwd ?? process.cwd(),
      logFile: options.logFile,
    });
    const logStart = await fileSize(options.logFile);
    await daemon.start();
    return new RunningProcess(options, daemon, logStart);
  }

  /** Undefined while it doesn't run. Another one after a restart. */
  get pid(): number | undefined {
    return this.#daemon.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Waits until the process that runs now is ready; with a line as its sign, resolves to what the expression matched. */
  async untilReady(): Promise<RegExpExecArray | undefined> {
    const { ready, readyTimeoutMs: timeoutMs = READY_TIMEOUT_MS } = this.#options;
    if (!ready) return undefined;
    if ('line' in ready) return this.untilLine(ready.line, timeoutMs);
    await this.#until(`an answer of ${ready.url}`, timeoutMs, () =>
      fetch(ready.url, { signal: AbortSignal.timeout(2_000) }).then(
        async (answer) => {
          await answer.body?.cancel();
          return answer.ok;
        },
        () => false,
      ),
    );
    return undefined;
  }

  /** Waits for a line in the output of the process that runs now, from its beginning on; after a restart, of the next. */
  async untilLine(pattern: RegExp, timeoutMs: number = READY_TIMEOUT_MS): Promise<RegExpExecArray> {
    let start = this.#logStart;
    let lines = new LogLines(this.logFile, start);
    return this.#until(`a line like ${pattern}`, timeoutMs, async () => {
      if (this.#logStart !== start) {
        start = this.#logStart;
        lines = new LogLines(this.logFile, start);
      }
      for (const line of await lines.next()) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      return undefined;
    });
  }

  /** Sends a signal to the process that runs now, if any. With `restart`, it is started again when it ends by that. */
  signal(signal: NodeJS.Signals): Promise<void> {
    return this.#daemon.signal(signal);
  }

  /** Ends it for good: with the signal, and by SIGKILL when it still runs `graceMs` later. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs: number = GRACE_MS): Promise<ProcessEnd> {
    this.#stopping.abort();
    await this.#daemon.stop(signal, graceMs);
    return this.exited;
  }

  async #supervise(): Promise<ProcessEnd> {
    for (;;) {
      const end = await this.#daemon.ended;
      if (!this.#options.restart || end.code === 0) return end;
      try {
        await systemClock.sleep(RESTART_AFTER_MS, this.#stopping.signal);
        this.#logStart = await fileSize(this.logFile);
        await this.#daemon.start();
      } catch {
        return end; // stopped meanwhile, or the keeper is gone
      }
      this.#restarts += 1;
      if (this.#stopping.signal.aborted) await this.#daemon.stop('SIGKILL', 0);
    }
  }

  async #until<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined | false>): Promise<T> {
    let failed: HarnessError | undefined;
    try {
      return await waitFor(
        what,
        async () => {
          // Asked for before the look: its last words count.
          const over = this.#over;
          const found = await look();
          if (!over || (found !== undefined && found !== false)) return found;
          failed = await this.#failure('START_FAILED', `ended before there was ${what}`);
          throw failed;
        },
        { timeoutMs, everyMs: LOOK_EVERY_MS, signal: this.#options.signal },
      );
    } catch (error) {
      if (failed || this.#options.signal?.aborted) throw error;
      throw await this.#failure('NOT_READY', `waited ${timeoutMs / 1000} s in vain for ${what}`, error);
    }
  }

  async #failure(
    code: 'START_FAILED' | 'NOT_READY',
    message: string,
    cause?: unknown,
  ): Promise<HarnessError> {
    const end = await lastLines(this.logFile, LOG_LINES_SHOWN);
    return new HarnessError(code, `${this.name}: ${message} (${this.logFile})\n${end}`, { cause });
  }
}
