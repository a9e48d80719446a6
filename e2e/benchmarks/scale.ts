import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import type { Benchmark, BenchmarkContext, Figure, Figures } from './benchmark.ts';
import { ScaleCluster } from './scale-cluster.ts';
import { type Cost, type Idle, ScaleSharder } from './scale-sharder.ts';
import { AnsweringShards } from './scale-shards.ts';

/** Parts of the number of objects, one after the other. */
const stages = [
  { name: 'first', part: 1 / 100 },
  { name: 'second', part: 1 / 10 },
  { name: 'last', part: 1 },
] as const;

const idleSeconds = 60;
/** Garbage collectors need some time in which nothing happens. */
const restSeconds = 15;

interface Stage {
  idle: Idle;
  list: Cost;
  level: Cost;
}

/** The sharder's process on rings of different sizes. */
export const scale: Benchmark = {
  name: 'scale',
  purpose: "the sharder's memory, requests and stalls with 1 %, 10 % and all of the objects",
  objects: 100_000,
  bounds: [
    { figure: 'idle RSS, most', atMost: 110 },
    { figure: 'idle RSS, growth', atMost: 15 },
    { figure: 'levelling: peak RSS, growth', atMost: 60 },
    { figure: 'requests per minute: most / fewest', atMost: 1.05 },
    { figure: 'requests per minute: with foreign Leases / without', atMost: 1.05 },
    { figure: 'foreign Lease updates', atLeast: 90 },
    { figure: 'full list: longest stall', atMost: 20 },
  ],
  async run(context) {
    const { signal, progress } = context;
    progress('starting a control plane and a sharder');
    await using controlPlane = await startControlPlane({ signal, report: progress });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    const client = new KubeClient(transport);
    const cluster = new ScaleCluster(client, signal);
    await cluster.prepare();
    const ended = new AbortController();
    const shards = new AnsweringShards(client);
    const playing = Promise.all([shards.run(ended.signal), cluster.renewShards(ended.signal)]);
    const sharder = await ScaleSharder.start(controlPlane, signal);
    try {
      return await measured({ cluster, shards, sharder }, context);
    } finally {
      await sharder.stop();
      ended.abort();
      await playing;
      await transport.close();
    }
  },
};

interface Parts {
  cluster: ScaleCluster;
  shards: AnsweringShards;
  sharder: ScaleSharder;
}

async function measured(parts: Parts, context: BenchmarkContext): Promise<Figures> {
  const { cluster, sharder } = parts;
  const { objects, signal, progress } = context;
  const figures: Record<string, Figure> = {};
  const all: Stage[] = [];
  for (const { name, part } of stages) {
    const count = Math.ceil(objects * part);
    const stage = await measuredAt(count, parts, context);
    all.push(stage);
    Object.assign(figures, { [`${name}: objects`]: { value: count, unit: '' } }, figuresOf(name, stage));
  }
  progress('idle, with updates of foreign Leases');
  const ended = new AbortController();
  const renewing = cluster.renewForeign(ended.signal);
  const foreign = await sharder.idle(idleSeconds);
  ended.abort();
  const updates = await renewing;
  progress('stalls');
  await systemClock.sleep(1_000, signal);
  const stalls = await sharder.stallsOf(() =>
    sharder.costOf(
      () => cluster.weigh(),
      () => true,
    ),
  );
  const [first, , last] = all;
  if (!first || !last) throw new Error('nothing was measured');
  const rss = all.map(({ idle }) => idle.rssMb);
  const rates = all.map(({ idle }) => idle.requestsPerMinute);
  return {
    ...figures,
    'idle RSS, most': { value: Math.max(...rss), unit: 'MB' },
    'idle RSS, growth': { value: last.idle.rssMb - first.idle.rssMb, unit: 'MB' },
    'levelling: peak RSS, growth': { value: last.level.peakRssMb - first.level.peakRssMb, unit: 'MB' },
    'requests per minute: most / fewest': { value: Math.max(...rates) / Math.min(...rates), unit: '×' },
    'requests per minute: with foreign Leases / without': {
      value: foreign.requestsPerMinute / last.idle.requestsPerMinute,
      unit: '×',
    },
    'foreign Lease updates': { value: updates / idleSeconds, unit: 'per s' },
    'full list: longest stall': { value: stalls.stallMs, unit: 'ms' },
    'full list: longest stall on the clock': { value: stalls.wallStallMs, unit: 'ms' },
  };
}

async function measuredAt(
  count: number,
  { cluster, shards, sharder }: Parts,
  { signal, progress }: BenchmarkContext,
): Promise<Stage> {
  progress(`creating objects up to ${count}`);
  await cluster.grow(count, progress);
  const list = await sharder.costOf(
    () => cluster.weigh(),
    () => true,
  );
  const before = shards.handedOver;
  const level = await sharder.costOf(
    () => cluster.join(),
    () => shards.handedOver > before && shards.atRest,
  );
  progress(`${shards.handedOver - before} objects moved to a new shard`);
  await systemClock.sleep(restSeconds * 1_000, signal);
  const idle = await sharder.idle(idleSeconds);
  progress(`idle: ${idle.rssMb.toFixed(0)} MB, ${idle.requestsPerMinute.toFixed(0)} requests per minute`);
  for (const [what, times] of Object.entries(idle.requests)) progress(`  ${times} × ${what}`);
  return { idle, list, level };
}

const figuresOf = (name: string, { idle, list, level }: Stage): Figures => ({
  [`${name}: idle RSS`]: { value: idle.rssMb, unit: 'MB' },
  [`${name}: requests per minute`]: { value: idle.requestsPerMinute, unit: '' },
  [`${name}: idle CPU`]: { value: idle.cpuMsPerSecond, unit: 'ms per s' },
  [`${name}: full list, CPU`]: { value: list.cpuMs, unit: 'ms' },
  [`${name}: full list, time`]: { value: list.planMs, unit: 'ms' },
  [`${name}: full list, read`]: { value: list.readMb, unit: 'MB' },
  [`${name}: full list, peak RSS`]: { value: list.peakRssMb, unit: 'MB' },
  [`${name}: levelling, CPU`]: { value: level.cpuMs, unit: 'ms' },
  [`${name}: levelling, read`]: { value: level.readMb, unit: 'MB' },
  [`${name}: levelling, peak RSS`]: { value: level.peakRssMb, unit: 'MB' },
});
