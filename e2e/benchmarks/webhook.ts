import {
  createHasher,
  type Hasher,
  mainObjectKey,
  placeByHash,
  type WeightedShard,
} from '@controller-sharding/sharder/placement/rendezvous.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { cpuMsOf } from './process-figures.ts';
import { namespaceOf, prepare, ring, type Side, sides, startBare, startOurs } from './webhook-cluster.ts';

const pairs = 5;
const idleSeconds = 5;
const warmUpAtOnce = 32;
const loads = [
  { atOnce: 1, name: 'one at a time', part: 1 / 4 },
  { atOnce: 32, name: '32 at a time', part: 1 },
] as const;

/** Creating objects without a webhook, with one that labels without thinking, and with the sharder's. */
export const webhook: Benchmark = {
  name: 'webhook',
  purpose: 'creating objects with the webhook: rate beside none and a bare one, CPU per call, every label',
  objects: 4_000,
  bounds: [
    ...loads.flatMap(({ name }) => [
      { figure: `${name}: ours / bare`, atLeast: 0.9 },
      { figure: `${name}: ours / none`, atLeast: 0.5 },
      { figure: `${name}: CPU per call`, atMost: 0.2 },
    ]),
    { figure: 'labels as placed', atLeast: 1 },
  ],
  async run({ objects, signal, progress }) {
    progress('starting a control plane, a sharder and the bare webhook');
    await using controlPlane = await startControlPlane({ signal, report: progress });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    const client = new KubeClient(transport);
    const shards = await prepare(client, signal);
    const [anyShard = ''] = shards;
    const bare = await startBare(client, anyShard, signal);
    const sharder = await startOurs(controlPlane, signal);
    const creator = new Creator({ client, hasher: await createHasher(), shards, signal });
    try {
      await waitFor('both webhooks to answer', async () => {
        const labels = [await creator.create('ours'), await creator.create('bare')];
        return labels.every((label) => label !== undefined);
      });
      creator.wrong = 0; // those before the webhook was there
      creator.checked = 0;
      const idleMs = await usedBy(sharder.pid);
      await systemClock.sleep(idleSeconds * 1_000, signal);
      // Of each second: what the sharder does without calls, too.
      const idle = ((await usedBy(sharder.pid)) - idleMs) / idleSeconds;
      // Else a part of what is measured first would be the compilation of what is called.
      for (const side of sides) await creator.createMany(side, objects, warmUpAtOnce);
      const figures: Record<string, Figure> = { 'sharder idle': { value: idle, unit: 'ms CPU per s' } };
      for (const { atOnce, name, part } of loads) {
        const count = Math.ceil(objects * part);
        const rates: Record<Side, number[]> = { none: [], bare: [], ours: [] };
        const cpuMs: Record<Side, number> = { none: 0, bare: 0, ours: 0 };
        const pids = { none: undefined, bare: bare.pid, ours: sharder.pid };
        for (let pair = 0; pair < pairs; pair += 1) {
          // Another order each time, so that none has the quieter moments.
          const order = sides.map((_, index) => sides[(index + pair) % sides.length] ?? 'none');
          for (const side of order) {
            const before = await usedBy(pids[side]);
            rates[side].push(await creator.createMany(side, count, atOnce));
            cpuMs[side] += (await usedBy(pids[side])) - before;
          }
          progress(
            `${name}, ${pair + 1} of ${pairs}: ${sides.map((side) => `${side} ${rates[side].at(-1)?.toFixed(0)}`).join(', ')} per s`,
          );
        }
        for (const side of sides) figures[`${name}: ${side}`] = { value: median(rates[side]), unit: 'per s' };
        const ratio = (to: Side): Figure => ({
          value: median(rates.ours.map((rate, index) => rate / (rates[to][index] ?? Number.NaN))),
          unit: '×',
        });
        figures[`${name}: ours / bare`] = ratio('bare');
        figures[`${name}: ours / none`] = ratio('none');
        const seconds = rates.ours.reduce((sum, rate) => sum + count / rate, 0);
        const perCall = (ms: number): Figure => ({ value: ms / (count * pairs), unit: 'ms' });
        figures[`${name}: CPU per call`] = perCall(cpuMs.ours - idle * seconds);
        figures[`${name}: CPU per call, bare`] = perCall(cpuMs.bare);
      }
      const right = (creator.checked - creator.wrong) / creator.checked;
      return { ...figures, 'labels as placed': { value: right, unit: '× all' } };
    } finally {
      await sharder.stop();
      bare.kill('SIGKILL');
      await transport.close();
    }
  },
};

const usedBy = async (pid: number | undefined): Promise<number> => (pid === undefined ? 0 : cpuMsOf(pid));

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

class Creator {
  readonly #client: KubeClient;
  readonly #hasher: Hasher;
  readonly #shards: WeightedShard[];
  readonly #anyShard: string;
  readonly #signal: AbortSignal;
  #created = 0;
  /** Labels by the sharder's webhook. */
  checked = 0;
  /** Those that are not what the placement function says. */
  wrong = 0;

  constructor(options: { client: KubeClient; hasher: Hasher; shards: string[]; signal: AbortSignal }) {
    this.#client = options.client;
    this.#hasher = options.hasher;
    this.#shards = options.shards.map((name) => ({ name, weight: 1 }));
    this.#anyShard = options.shards[0] ?? '';
    this.#signal = options.signal;
  }

  /** Returns how many per second. */
  async createMany(side: Side, count: number, atOnce: number): Promise<number> {
    let left = count;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.create(side);
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: atOnce }, work));
    return (count / (performance.now() - startedAt)) * 1_000;
  }

  /** Returns the label. */
  async create(side: Side): Promise<string | undefined> {
    this.#created += 1;
    const name = `object-${this.#created}`;
    const namespace = namespaceOf(side);
    const label = shardLabel(ring);
    const { metadata } = await this.#client.create(
      configMaps,
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        // With its label no webhook is called, and the sharder has nothing to do.
        metadata: { namespace, name, ...(side === 'none' && { labels: { [label]: this.#anyShard } }) },
        data: { mode: 'production', 'log-level': 'info' },
      },
      { signal: this.#signal, timeoutMs: 60_000 },
    );
    const shard = metadata.labels?.[label];
    if (side === 'ours') {
      this.checked += 1;
      const key = mainObjectKey('', 'ConfigMap', namespace, name);
      if (shard !== placeByHash(this.#hasher, key, this.#shards)) this.wrong += 1;
    }
    return shard;
  }
}
