import { join } from 'node:path';
import { bundle } from '@controller-sharding/image/bundle-programs.ts';
import { operatorName } from '@controller-sharding/operator/webhosting/resources.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { ControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { buildMeter } from './build-meter.ts';
import { cpuMsOf } from './process-figures.ts';
import type { ShardUsage } from './shard-usage.ts';

const startTimeoutMs = 120_000;
const workTimeoutMs = 240_000;
/** A process that uses less than this, for so many looks in a row, has nothing to do but to renew its Lease. */
const idleCpuMs = 100;
const idleLooks = 4;
const lookMs = 1_000;

/** The webhosting operator as the image has it. */
export class OperatorProgram {
  readonly #controlPlane: ControlPlane;
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(controlPlane: ControlPlane, folder: string, signal: AbortSignal) {
    this.#controlPlane = controlPlane;
    this.#folder = folder;
    this.#signal = signal;
  }

  static async bundled(controlPlane: ControlPlane, signal: AbortSignal): Promise<OperatorProgram> {
    const folder = join(controlPlane.dir, 'image');
    await bundle(folder);
    await buildMeter(new URL('./shard-usage.ts', import.meta.url), join(folder, 'usage.mjs'));
    return new OperatorProgram(controlPlane, folder, signal);
  }

  shard(name: string): Promise<OperatorProcess> {
    return this.#start(name, [`--shard-name=${name}`]);
  }

  /** One that is for all objects. */
  singleton(): Promise<OperatorProcess> {
    return this.#start('singleton', ['--no-sharded']);
  }

  async #start(name: string, flags: string[]): Promise<OperatorProcess> {
    const [health, metrics] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const { kubeconfigPath, logFolder } = this.#controlPlane;
    const running = await startProcess({
      name,
      args: [
        '--expose-gc',
        '--import',
        join(this.#folder, 'usage.mjs'),
        join(this.#folder, 'main.mjs'),
        operatorName,
        `--kubeconfig=${kubeconfigPath}`,
        '--lease-namespace=webhosting-system',
        `--health-address=${health}`,
        `--metrics-address=${metrics}`,
        ...flags,
      ],
      env: { NODE_ENV: 'production' },
      logFile: join(logFolder, `${name}.log`),
      signal: this.#signal,
    });
    // Seldom: to answer takes time, too.
    const isReady = (): Promise<boolean> =>
      fetch(`http://${health}/readyz`, { signal: this.#signal }).then(
        ({ ok }) => ok,
        () => false,
      );
    const options = { timeoutMs: startTimeoutMs, everyMs: lookMs, signal: this.#signal };
    await waitFor(`${name} to be ready`, isReady, options);
    return new OperatorProcess(running, `http://${metrics}/metrics`, this.#signal);
  }
}

/** A process of the operator, which holds its Lease. */
export class OperatorProcess {
  readonly #running: RunningProcess;
  readonly #metricsUrl: string;
  readonly #signal: AbortSignal;
  #measured = 0;

  constructor(running: RunningProcess, metricsUrl: string, signal: AbortSignal) {
    this.#running = running;
    this.#metricsUrl = metricsUrl;
    this.#signal = signal;
  }

  /** Waits until it has reconciled at least so often, and has had nothing to do for a while. */
  async idle(reconciles: number): Promise<void> {
    await waitFor(
      `${this.#running.name} to have reconciled ${reconciles} times`,
      async () => {
        let last = await cpuMsOf(this.#pid);
        for (let looks = 0; looks < idleLooks; looks += 1) {
          await clock.sleep(lookMs, this.#signal);
          const now = await cpuMsOf(this.#pid);
          if (now - last > idleCpuMs) return false;
          last = now;
        }
        // Asked only now.
        const page = await (await fetch(this.#metricsUrl, { signal: this.#signal })).text();
        const done = sum(page, 'controller_runtime_reconcile_total') >= reconciles;
        return done && sum(page, 'workqueue_depth') === 0;
      },
      { timeoutMs: workTimeoutMs, signal: this.#signal },
    );
  }

  /** Ms of all threads since its start; not as exact as `usage`, which costs CPU itself. */
  cpuMs(): Promise<number> {
    return cpuMsOf(this.#pid);
  }

  /** What it has used since its start. */
  async usage(): Promise<ShardUsage> {
    this.#measured += 1;
    const line = this.#running.untilLine(new RegExp(`^usage ${this.#measured} (.*)$`));
    await this.#running.signal('SIGUSR2');
    return JSON.parse((await line)[1] ?? '');
  }

  /** At once: its Lease stays, for the next one of its name. */
  async kill(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }

  get #pid(): number {
    const { pid } = this.#running;
    if (pid === undefined) throw new Error(`${this.#running.name} does not run any more`);
    return pid;
  }
}

/** Of a metric, over all its labels. */
function sum(page: string, metric: string): number {
  const lines = page.split('\n').filter((line) => /^[^{ ]+/.exec(line)?.[0] === metric);
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
}
