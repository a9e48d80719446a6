import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps, namespaces, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { createRing } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { checksumRing, namespaceNamed, ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { AuditLog } from './audit-log.ts';

const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const namespace = 'frozen';
const objectsPerShard = 4;
/** Stays awake, and gets what the others lose. */
const awake = 'awake';
/** The API server stands still so long, so that all shards have requests under way when they are frozen. */
const stuckMs = 1_500;
const frozenMs = 40_000;
/** Longer than a write lasts, and than the API server takes for it. */
const afterwardsMs = 8_000;

export interface FreezeFigures {
  /** Writes of the shards in the 5 s before. */
  before: number;
  /** Requests that had been sent and were carried out while the shards were frozen. */
  meanwhile: number;
  /** Objects that were given to another shard meanwhile. */
  moved: number;
  /** Writes that the API server received from the shards after they went on, whatever became of them. */
  afterwards: number;
  /** How the processes ended. */
  ends: Array<number | null>;
}

/** A ring whose shards write all the time, and an API server that notes every write. */
export class FrozenWorld {
  readonly #controlPlane: ControlPlane;
  readonly #client: KubeClient;
  readonly #audit: AuditLog;
  readonly #stop = new AbortController();

  private constructor(controlPlane: ControlPlane, client: KubeClient, audit: AuditLog) {
    this.#controlPlane = controlPlane;
    this.#client = client;
    this.#audit = audit;
  }

  /** Everything ends with the test. */
  static async start(t: TestContext, shards: number): Promise<FrozenWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const audit = await AuditLog.prepare(folder);
    const controlPlane = await startControlPlane({ apiServerArgs: audit.args });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }), { clock });
    const world = new FrozenWorld(controlPlane, new KubeClient(transport), audit);
    t.after(async () => {
      world.#stop.abort();
      await transport.close();
      await controlPlane.stop();
    });
    await world.#prepare(shards);
    return world;
  }

  /** Starts shards, freezes them all for 40 s with requests under way, and lets them go on. */
  async freeze(shards: number, fence: 'fenced' | 'unfenced'): Promise<FreezeFigures> {
    const names = Array.from({ length: shards }, (_, index) => `${fence}-${index}`);
    const processes = await Promise.all(names.map((name) => this.#shard(name, fence)));
    await this.#untilShared(new Set([...names, awake]));
    await clock.sleep(5_000);
    await this.#controlPlane.apiServer.pause();
    await clock.sleep(stuckMs);
    await Promise.all(processes.map((process) => process.signal('SIGSTOP')));
    const stoppedAt = Date.now();
    await this.#controlPlane.apiServer.resume();
    await clock.sleep(frozenMs);
    const moved = (await this.#holders()).filter((holder) => holder === awake).length;
    const wentOnAt = Date.now();
    await Promise.all(processes.map((process) => process.signal('SIGCONT')));
    await clock.sleep(afterwardsMs);
    const ends = await Promise.all(processes.map(endOf));
    const mine = new Set(names);
    const writes = (await this.#audit.writes()).filter(({ userAgent }) => mine.has(userAgent));
    const count = (from: number, to: number): number =>
      writes.filter(({ at }) => at >= from && at < to).length;
    return {
      before: count(stoppedAt - stuckMs - 5_000, stoppedAt - stuckMs),
      meanwhile: count(stoppedAt, wentOnAt),
      moved,
      afterwards: count(wentOnAt, Infinity),
      ends,
    };
  }

  async #prepare(shards: number): Promise<void> {
    const { kubeconfigPath: kubeconfig, logFolder } = this.#controlPlane;
    for (const name of [sharderNamespace, namespace])
      await this.#client.create(namespaces, namespaceNamed(name));
    await createRing(this.#client, checksumRing(namespace));
    await startProcess({
      name: 'sharder',
      args: [
        program('sharder/cli/main.ts'),
        'run',
        `--kubeconfig=${kubeconfig}`,
        '--webhook=false',
        '--health-address=0',
        '--metrics-address=0',
      ],
      env: { NODE_ENV: 'production' },
      logFile: join(logFolder, 'sharder.log'),
      ready: { line: /"msg":"leading"/ },
      signal: this.#stop.signal,
    });
    await this.#shard(awake, 'fenced');
    for (let index = 0; index < (shards + 1) * objectsPerShard; index += 1)
      await this.#client.create(secrets, secretNamed(namespace, `s-${index}`));
  }

  #shard(name: string, fence: 'fenced' | 'unfenced'): Promise<RunningProcess> {
    const { kubeconfigPath: kubeconfig, logFolder } = this.#controlPlane;
    return startProcess({
      name,
      args: [program('e2e/frozen/busy-shard.ts'), kubeconfig, ringName, namespace, name, fence],
      env: { NODE_ENV: 'production' },
      logFile: join(logFolder, `${name}.log`),
      signal: this.#stop.signal,
    });
  }

  async #holders(): Promise<Array<string | undefined>> {
    const holders: Array<string | undefined> = [];
    for await (const { items } of this.#client.list(secrets, 'metadata', { namespace }))
      holders.push(...items.map(({ metadata }) => metadata.labels?.[shardLabel(ringName)]));
    return holders;
  }

  /** Each of the shards has objects, and has written for them. */
  async #untilShared(names: ReadonlySet<string>): Promise<void> {
    await waitFor(
      'every shard to be busy',
      async () => {
        const holders = new Set(await this.#holders());
        if (holders.size !== names.size || holders.has(undefined)) return false;
        const { items } = await this.#client.listPage(configMaps, 'metadata', { namespace });
        return (
          new Set(items.map(({ metadata }) => metadata.labels?.[shardLabel(ringName)])).size >= names.size
        );
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
  }
}

/** Its exit code; null when it runs on. */
async function endOf(process: RunningProcess): Promise<number | null> {
  if (process.pid !== undefined) {
    await process.stop('SIGKILL');
    return null;
  }
  return (await process.exited).code;
}
