import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { ring } from './moves-objects.ts';

const program = fileURLToPath(new URL('./moves-shard.ts', import.meta.url));

/** The shards' processes. Every one that joins has a name of its own, as pods have. */
export class MovesShards {
  readonly #controlPlane: ControlPlane;
  readonly #signal: AbortSignal;
  readonly #running = new Map<string, RunningProcess>();
  #started = 0;

  constructor(controlPlane: ControlPlane, signal: AbortSignal) {
    this.#controlPlane = controlPlane;
    this.#signal = signal;
  }

  get names(): string[] {
    return [...this.#running.keys()];
  }

  /** Starts one more; resolves with its name when it works. */
  async start(): Promise<string> {
    this.#started += 1;
    const name = `shard-${this.#started}`;
    const health = `127.0.0.1:${await freePort()}`;
    const { kubeconfigPath, logFolder } = this.#controlPlane;
    const args = ['--kubeconfig', kubeconfigPath, '--ring', ring, '--shard-name', name];
    args.push('--lease-namespace', 'default', '--health-address', health, '--metrics-address', '0');
    const process = await startProcess({
      name,
      args: [program, ...args, '--log-level', 'warn'],
      env: { NODE_ENV: 'production' },
      logFile: join(logFolder, `${name}.log`),
      ready: { url: `http://${health}/readyz` },
      signal: this.#signal,
    });
    this.#running.set(name, process);
    return name;
  }

  /** Resolves when it has ended. */
  async end(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const process = this.#running.get(name);
    this.#running.delete(name);
    await process?.stop(signal);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((process) => process.stop('SIGKILL')));
  }
}
