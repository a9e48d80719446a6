import { execFile } from 'node:child_process';
import { ApiProbe } from './api-probe.ts';
import { type DaemonName, kubeconfigFile, type Layout, logFolder, urlOf } from './control-plane-daemons.ts';
import { adminKubeconfig, type Identities, writeKubeconfig } from './control-plane-files.ts';
import type { Daemon } from './daemon.ts';
import { HarnessError } from './errors.ts';
import { kubeconfig } from './kubeconfig.ts';
import { untilPaused } from './paused.ts';
import { waitFor } from './wait-for.ts';

const READY_TIMEOUT_MS = 60_000;
const GRACE_MS = 5_000;
const KUBECTL_MAX_OUTPUT = 64 * 1024 * 1024;

export interface KubectlOptions {
  /** What kubectl reads from its standard input (`apply -f -`). */
  input?: string | undefined;
  /** Default: the admin's. */
  kubeconfigPath?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** What an instance consists of; made by `startControlPlane`. */
export interface Parts {
  layout: Layout;
  identities: Identities;
  /** In the order in which they were started. */
  daemons: Map<DaemonName, Daemon>;
  etcd: Daemon;
  apiServer: Daemon;
  kubectlPath: () => Promise<string>;
  /** Called once, when every daemon has ended. */
  dispose: (failed: boolean) => Promise<void>;
}

/** A part of a control plane that a test may take away for a while. */
class Interruptible {
  readonly #daemon: Daemon;
  readonly #parts: Parts;

  constructor(daemon: Daemon, parts: Parts) {
    this.#daemon = daemon;
    this.#parts = parts;
  }

  /** Ends the process: by default at once, its connections broken off. The data stay. */
  stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#daemon.stop(signal, GRACE_MS);
  }

  /** Starts it again at the same address with the same data; resolves when the API server, unless stopped, is ready. */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#daemon.start();
    if (this.#parts.apiServer.pid !== undefined) await waitUntilReady(this.#parts, signal);
  }

  /** Freezes the process: connections stay open, and nothing is answered. */
  async pause(): Promise<void> {
    await this.#daemon.signal('SIGSTOP');
    const { pid } = this.#daemon;
    if (pid !== undefined) await untilPaused(pid);
  }

  resume(): Promise<void> {
    return this.#daemon.signal('SIGCONT');
  }
}

/** A running control plane of its own. */
export class ControlPlane implements AsyncDisposable {
  readonly url: string;
  /** Its temporary folder; gone after `stop`. */
  readonly dir: string;
  /** Logs of its daemons, `<name>.log`; what else is written here is kept with them when the run failed. */
  readonly logFolder: string;
  readonly kubeconfigPath: string;
  /** The text of that file; its user is allowed everything. */
  readonly adminKubeconfig: string;
  readonly etcd: Interruptible;
  readonly apiServer: Interruptible;
  readonly #parts: Parts;
  #userCount = 0;
  #stopped: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.url = urlOf(parts.layout);
    this.dir = parts.layout.dir;
    this.logFolder = logFolder(parts.layout);
    this.kubeconfigPath = kubeconfigFile(parts.layout, 'admin');
    this.adminKubeconfig = adminKubeconfig(parts.layout, parts.identities);
    this.etcd = new Interruptible(parts.etcd, parts);
    this.apiServer = new Interruptible(parts.apiServer, parts);
  }

  /** Process ids of the daemons that run now, by name. */
  get pids(): Partial<Record<DaemonName, number>> {
    return Object.fromEntries(
      [...this.#parts.daemons].flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid]])),
    );
  }

  /** Runs kubectl and returns its output; throws with what it wrote to its standard error. */
  async kubectl(args: string[], options: KubectlOptions = {}): Promise<string> {
    const path = await this.#parts.kubectlPath();
    return new Promise((resolve, reject) => {
      const child = execFile(
        path,
        args,
        {
          env: { HOME: this.dir, KUBECONFIG: options.kubeconfigPath ?? this.kubeconfigPath },
          maxBuffer: KUBECTL_MAX_OUTPUT,
          ...(options.signal && { signal: options.signal }),
        },
        (error, output, errorOutput) => {
          if (error) reject(new Error(`kubectl ${args.join(' ')}: ${errorOutput.trim() || error.message}`));
          else resolve(output);
        },
      );
      child.stdin?.on('error', () => {}); // it may end without having read all
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Makes a kubeconfig file for a user whom the API server knows by this name and these groups; returns its path. */
  async userKubeconfig(user: string, groups: string[] = []): Promise<string> {
    const { layout, identities } = this.#parts;
    const { authority } = identities;
    const identity = await authority.client(user, groups);
    this.#userCount += 1;
    return writeKubeconfig(
      layout,
      `user-${this.#userCount}`,
      kubeconfig(urlOf(layout), authority.certificate, user, identity),
    );
  }

  /** Ends everything and removes the folder; the logs are kept when the run `failed` or a daemon had ended by itself. */
  stop({ failed = false }: { failed?: boolean | undefined } = {}): Promise<void> {
    this.#stopped ??= this.#stop(failed);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(failed: boolean): Promise<void> {
    const daemons = [...this.#parts.daemons.values()];
    const crashed = daemons.some(({ unexpectedEnd }) => unexpectedEnd !== undefined);
    await stopDaemons(daemons);
    await this.#parts.dispose(failed || crashed);
  }
}

/** Its data are thrown away and its clients are gone: nothing is gained by asking politely. */
export async function stopDaemons(daemons: Iterable<Daemon>): Promise<void> {
  await Promise.all([...daemons].map((daemon) => daemon.stop('SIGKILL', GRACE_MS)));
}

/** Throws HarnessError `START_FAILED` when a daemon ends meanwhile, `NOT_READY` after a minute. */
export async function waitUntilReady(
  { layout, identities, daemons }: Pick<Parts, 'layout' | 'identities' | 'daemons'>,
  signal?: AbortSignal,
): Promise<void> {
  const probe = new ApiProbe(urlOf(layout), identities.authority.certificate, identities.clients.admin);
  const conditions = ['/readyz', '/api/v1/namespaces/default'];
  if (daemons.has('kube-controller-manager')) {
    conditions.push('/api/v1/namespaces/default/serviceaccounts/default');
  }
  try {
    for (const path of conditions) {
      await waitFor(
        path,
        () => {
          for (const { spec, pid, unexpectedEnd: end } of daemons.values()) {
            if (pid !== undefined) continue;
            const how = end ? `ended with ${end.code ?? end.signal}` : 'was stopped';
            throw new HarnessError('START_FAILED', `${spec.name} ${how}`);
          }
          return probe.isOk(path);
        },
        { timeoutMs: READY_TIMEOUT_MS, signal },
      ).catch((error: unknown) => {
        if (signal?.aborted || error instanceof HarnessError) throw error;
        throw new HarnessError('NOT_READY', `The API server isn't ready after ${READY_TIMEOUT_MS / 1000} s`);
      });
    }
  } finally {
    probe.close();
  }
}
