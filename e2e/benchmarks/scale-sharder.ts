import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '@controller-sharding/image/bundle-programs.ts';
import { memoryEnvironment } from '@controller-sharding/image/environment.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { ControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import type { RunningProcess } from '../harness/processes.ts';
import { startSharder } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { buildMeter } from './build-meter.ts';
import { cpuMsOf, forgetPeak, memoryMbOf, readMbOf } from './process-figures.ts';
import type { Stalls } from './stall-meter.ts';

/** Between two looks at what is idle. */
const lookMs = 1_000;
/** How long nothing must happen before something counts as done. */
const quietMs = 3_000;
const discovery = new Set(['GET /api', 'GET /apis']);

export interface Cost {
  cpuMs: number;
  /** Made by the plan alone, without what follows it. */
  planMs: number;
  readMb: number;
  peakRssMb: number;
}

export interface Idle {
  /** The median of a look every second. */
  rssMb: number;
  /**
   * Without those that come less than once a minute, whatever there is: a watch is opened again every 5 to 10 minutes,
   * and discovery asked every 5 minutes.
   */
  requestsPerMinute: number;
  /** How many of them there were, by what was asked for. */
  requests: Record<string, number>;
  cpuMsPerSecond: number;
}

/** The sharder's process, as it is started by its users, and what it uses. */
export class ScaleSharder {
  readonly #process: RunningProcess;
  readonly #metricsUrl: string;
  readonly #signal: AbortSignal;

  private constructor(process: RunningProcess, metricsUrl: string, signal: AbortSignal) {
    this.#process = process;
    this.#metricsUrl = metricsUrl;
    this.#signal = signal;
  }

  /**
   * Starts it from the bundle of the image, in the image's environment, and for the second time: what only the first
   * start of an installation needs (to issue a certificate) is not measured.
   */
  static async start(
    { kubeconfigPath, logFolder, dir }: ControlPlane,
    signal: AbortSignal,
  ): Promise<ScaleSharder> {
    const metrics = `127.0.0.1:${await freePort()}`;
    const webhook = `127.0.0.1:${await freePort()}`;
    const folder = join(dir, 'image');
    await bundle(folder);
    const stallMeter = join(dir, 'stalls.mjs');
    await buildMeter(new URL('./scale-stalls.ts', import.meta.url), stallMeter);
    const options = {
      kubeconfigPath,
      logFolder,
      program: ['--import', stallMeter, join(folder, 'main.mjs'), 'sharder'],
      env: memoryEnvironment,
      webhook: {
        server: { bindAddress: webhook },
        config: { clientConfig: { url: `https://${webhook}` } },
      },
      config: {
        metrics: { bindAddress: metrics },
        health: { bindAddress: `127.0.0.1:${await freePort()}` },
        // What is idle is measured between full lists.
        controller: { sharder: { syncPeriod: '1h' } },
      },
      signal,
    };
    await (await startSharder(options)).stop();
    return new ScaleSharder(await startSharder(options), `http://${metrics}/metrics`, signal);
  }

  stop(): Promise<unknown> {
    return this.#process.stop();
  }

  /** What it takes to do what `begin` begins: a plan, and whatever else until `isDone`. */
  async costOf(begin: () => Promise<void>, isDone: () => boolean): Promise<Cost> {
    const plans = await this.#plans();
    await forgetPeak(this.#pid);
    const cpuMs = await cpuMsOf(this.#pid);
    const readMb = await readMbOf(this.#pid);
    await begin();
    const planned = await waitFor(
      'a plan',
      async () => {
        const now = await this.#plans();
        return now.count > plans.count && now;
      },
      { timeoutMs: 60_000, everyMs: 200, signal: this.#signal },
    );
    await waitFor('its end', isDone, { timeoutMs: 120_000, signal: this.#signal });
    await clock.sleep(quietMs, this.#signal);
    return {
      cpuMs: (await cpuMsOf(this.#pid)) - cpuMs,
      planMs: (planned.seconds - plans.seconds) * 1_000,
      readMb: (await readMbOf(this.#pid)) - readMb,
      peakRssMb: (await memoryMbOf(this.#pid)).peak,
    };
  }

  async stallsOf(work: () => Promise<unknown>): Promise<Stalls> {
    await this.#process.signal('SIGUSR2');
    await work();
    const line = this.#process.untilLine(/^stalls (.*)$/);
    await this.#process.signal('SIGUSR2');
    return JSON.parse((await line)[1] ?? '');
  }

  async idle(seconds: number): Promise<Idle> {
    const before = await this.#requests();
    const cpuMs = await cpuMsOf(this.#pid);
    const began = clock.monotonic();
    const rss: number[] = [];
    while (clock.monotonic() - began < seconds * 1_000) {
      await clock.sleep(lookMs, this.#signal);
      rss.push((await memoryMbOf(this.#pid)).rss);
    }
    const minutes = (clock.monotonic() - began) / 60_000;
    const requests = (await this.#requests()).slice(before.length);
    return {
      rssMb: rss.toSorted((a, b) => a - b)[rss.length >> 1] ?? Number.NaN,
      cpuMsPerSecond: ((await cpuMsOf(this.#pid)) - cpuMs) / (minutes * 60),
      requestsPerMinute: requests.length / minutes,
      requests: countBy(requests),
    };
  }

  /** Each as its method and path. */
  async #requests(): Promise<string[]> {
    const log = await readFile(this.#process.logFile, 'utf8');
    const requests = [...log.matchAll(/^request (\S+ [^\s?]*)(\S*)$/gm)];
    return requests.flatMap(([, what = '', query = '']) =>
      query.includes('watch=') || discovery.has(what) ? [] : [what],
    );
  }

  get #pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error('the sharder does not run any more');
    return pid;
  }

  async #plans(): Promise<{ count: number; seconds: number }> {
    const name = 'controller_sharding_planning_duration_seconds';
    return { count: await this.#sum(`${name}_count`), seconds: await this.#sum(`${name}_sum`) };
  }

  /** Of a metric, over all its labels. */
  async #sum(name: string): Promise<number> {
    const answer = await fetch(this.#metricsUrl, { signal: this.#signal });
    const lines = (await answer.text()).split('\n').filter((line) => /^[^{ ]+/.exec(line)?.[0] === name);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
