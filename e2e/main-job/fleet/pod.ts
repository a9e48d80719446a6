import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { Daemon } from '../../harness/daemon.ts';
import { Keeper } from '../../harness/keeper-client.ts';
import { machineMs, type ProcessEvent } from '../observer/events.ts';

/** As long as a pod has by default. */
const graceMs = 30_000;
const restartAfterMs = 1_000;

export interface PodOptions {
  name: string;
  role: ProcessEvent['role'];
  /** Path of the program. Default: this Node.js. */
  command?: string;
  /** Of the next start. */
  args(): string[];
  env: Record<string, string>;
  logFile: string;
  clock: Clock;
  /** Is told of every start and end. */
  emit(event: ProcessEvent): void;
}

/**
 * One replica under a supervisor that does as a kubelet does: a process that ends is started again, under the same
 * name and identity, until the pod is to go.
 */
export class Pod {
  readonly name: string;
  readonly #options: PodOptions;
  #daemon: Daemon | undefined;
  readonly #over = new AbortController();
  #cause: 'stopped' | 'killed' | undefined;
  #pid = 0;
  #supervising: Promise<void> | undefined;
  restarts = 0;

  constructor(options: PodOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Throws when the process can't be started. */
  async start(): Promise<void> {
    await this.#start();
    this.#supervising = this.#supervise();
  }

  /** Neither stopped nor killed for good. */
  get staying(): boolean {
    return !this.#over.signal.aborted;
  }

  /** SIGTERM, and SIGKILL after 30 s; resolves when it has ended. It isn't started again. */
  async stop(): Promise<void> {
    this.#over.abort();
    this.#cause ??= 'stopped';
    await this.#daemon?.stop('SIGTERM', graceMs);
    await this.#supervising;
  }

  /** SIGKILL; resolves when the process has ended. `forGood`: as with its node, the pod is gone. */
  async kill({ forGood }: { forGood: boolean }): Promise<void> {
    if (forGood) this.#over.abort();
    this.#cause ??= 'killed';
    this.#say('killing');
    const ended = this.#daemon?.ended;
    await this.#daemon?.signal('SIGKILL');
    await ended;
    if (forGood) await this.#supervising;
  }

  #next(): Daemon {
    const { name, command = process.execPath, args, env, logFile } = this.#options;
    return new Daemon(Keeper.shared(), {
      name,
      command,
      args: args(),
      env: { ...ownEnvironment(), ...env },
      cwd: process.cwd(),
      logFile,
    });
  }

  async #start(): Promise<void> {
    this.#daemon = this.#next();
    await this.#daemon.start();
    this.#pid = this.#daemon.pid ?? 0;
    this.#say('started');
  }

  async #supervise(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await this.#daemon?.ended;
      this.#say('ended');
      this.#cause = undefined;
      if (this.#over.signal.aborted) return;
      try {
        await clock.sleep(restartAfterMs, this.#over.signal);
        await this.#start();
        this.restarts++;
      } catch {
        // Stopped meanwhile, or this process is ending, and its keeper with it.
        return;
      }
    }
  }

  #say(state: ProcessEvent['state']): void {
    const { role, name, emit } = this.#options;
    const forGood = !this.staying;
    const cause = state === 'ended' ? (this.#cause ?? 'crashed') : undefined;
    emit({ kind: 'process', at: machineMs(), role, name, pid: this.#pid, state, forGood, cause });
  }
}

/** Without the variables that would be read as flags, or point at another cluster. */
function ownEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(SHARDER_|CHECKSUM_|KUBECONFIG$)/.test(entry[0]),
  );
  return Object.fromEntries(entries);
}
