import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type {
  KeeperAnswers,
  KeeperRequest,
  ProcessEnd,
  ReplyMessage,
  StartRequest,
} from './keeper-protocol.ts';

const KEEPER_PROGRAM = fileURLToPath(new URL('./keeper.ts', import.meta.url));

/** A process under a keeper: killed, with all that it started, when the process that asked for it ends. */
export interface KeptProcess {
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ProcessEnd>;
  /** Sends a signal; false when the process has ended already. */
  signal(signal: NodeJS.Signals): Promise<boolean>;
}

type Answer = KeeperAnswers[keyof KeeperAnswers];

interface Pending {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

const keeperEnded = (): Error => new Error('The process that keeps the harness’s processes has ended');

/**
 * The harness's end of a keeper process (keeper.ts). All processes and temporary folders of the harness go through it,
 * so that none is left when this process ends, be it by SIGKILL. While a kept process runs, it keeps this process
 * running, as an ordinary child would.
 */
export class Keeper {
  readonly #program: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #processes = new Map<number, { pid: number; ended(end: ProcessEnd): void }>();
  readonly #folders = new Set<string>();
  #lastId = 0;

  static #shared: Keeper | undefined;

  /** The keeper of this process, started at first use. */
  static shared(): Keeper {
    Keeper.#shared ??= new Keeper();
    return Keeper.#shared;
  }

  constructor() {
    this.#program = fork(KEEPER_PROGRAM, [], {
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#program.on('message', (message: ReplyMessage) => this.#receive(message));
    this.#program.once('exit', () => this.#lost());
    this.#program.once('error', () => this.#lost());
    this.#holdOrLetGo();
  }

  get pid(): number | undefined {
    return this.#program.pid;
  }

  /** Throws when the program can't be started. */
  async start(request: Omit<StartRequest, 'op'>): Promise<KeptProcess> {
    const key = ++this.#lastId;
    // Noted before the answer: the process may have ended by the time that is read.
    const { promise: exited, resolve: ended } = Promise.withResolvers<ProcessEnd>();
    const entry = { pid: 0, ended };
    this.#processes.set(key, entry);
    try {
      entry.pid = await this.#ask<'start'>({ op: 'start', ...request }, key);
    } catch (error) {
      this.#processes.delete(key);
      this.#holdOrLetGo();
      throw error;
    }
    return {
      pid: entry.pid,
      exited,
      signal: async (signal) =>
        this.#processes.has(key) && (await this.#ask<'signal'>({ op: 'signal', key, signal })),
    };
  }

  /** Makes a temporary folder; it is removed when this process ends, at the latest. */
  async makeFolder(prefix: string): Promise<string> {
    const folder = await this.#ask<'make-folder'>({ op: 'make-folder', prefix });
    this.#folders.add(folder);
    return folder;
  }

  async removeFolder(path: string): Promise<void> {
    await this.#ask<'remove-folder'>({ op: 'remove-folder', path });
    this.#folders.delete(path);
  }

  async #ask<Op extends KeeperRequest['op']>(
    request: KeeperRequest & { op: Op },
    id = ++this.#lastId,
  ): Promise<KeeperAnswers[Op]> {
    if (!this.#program.connected) throw keeperEnded();
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#holdOrLetGo();
      this.#program.send({ id, ...request });
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the protocol gives each operation its answer
    return answer as KeeperAnswers[Op];
  }

  #receive(message: ReplyMessage): void {
    if ('exited' in message) {
      this.#processes.get(message.exited)?.ended({ code: message.code, signal: message.signal });
      this.#processes.delete(message.exited);
    } else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) pending?.reject(new Error(message.error));
      else pending?.resolve(message.value);
    }
    this.#holdOrLetGo();
  }

  /** The keeper itself was ended by somebody: its processes are ended from here, so that none is left alone. */
  #lost(): void {
    if (Keeper.#shared === this) Keeper.#shared = undefined;
    for (const kept of this.#processes.values()) {
      try {
        if (kept.pid > 0) process.kill(-kept.pid, 'SIGKILL');
      } catch {
        // It has ended with the keeper.
      }
      kept.ended({ code: null, signal: 'SIGKILL' });
    }
    this.#processes.clear();
    for (const folder of this.#folders)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    this.#folders.clear();
    for (const pending of this.#pending.values()) pending.reject(keeperEnded());
    this.#pending.clear();
    this.#holdOrLetGo();
  }

  #holdOrLetGo(): void {
    const held = this.#pending.size > 0 || this.#processes.size > 0;
    for (const handle of [this.#program, this.#program.channel]) {
      if (held) handle?.ref();
      else handle?.unref();
    }
  }
}
