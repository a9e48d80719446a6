import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import type { Benchmark, BenchmarkContext, Bound, Figure, Figures } from './benchmark.ts';
import { ShardCluster } from './shard-cluster.ts';
import { type OperatorProcess, OperatorProgram } from './shard-processes.ts';
import type { ShardUsage } from './shard-usage.ts';

const shardNames = ['shard-0', 'shard-1', 'shard-2', 'shard-3'];

const kinds = [
  { name: 'heap above an empty process', key: 'heapMb', unit: 'MB' },
  { name: 'received', key: 'receivedMb', unit: 'MB' },
  { name: 'CPU', key: 'cpuMs', unit: 'ms' },
] as const;

interface Side {
  /** Of each process. */
  usages: ShardUsage[];
  /** Of each process, when it had reconciled all it has for the first time: ms. */
  startCpuMs: number[];
  startWrites: number;
  changeWrites: number;
}

/** Processes of the webhosting operator: four shards of one ring, and one that isn't sharded. */
export const shard: Benchmark = {
  name: 'shard',
  purpose: 'what each of 4 shards uses beside a singleton: heap, bytes received, CPU',
  objects: 20_000,
  bounds: [
    ...kinds.flatMap(({ name }): Bound[] => [
      { figure: `${name}: greatest shard / singleton`, atMost: 0.3 },
      { figure: `${name}: all shards / singleton`, atMost: 1.15 },
    ]),
    { figure: 'writes after the start', atMost: 0 },
    { figure: 'writes for changes: shards / singleton', atMost: 1.02 },
    { figure: 'Websites that are not Ready', atMost: 0 },
  ],
  async run(context) {
    const { objects, signal, progress } = context;
    progress('starting a control plane');
    await using controlPlane = await startControlPlane({ signal, report: progress });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    try {
      const cluster = new ShardCluster(transport, signal);
      await cluster.prepare(controlPlane);
      const program = await OperatorProgram.bundled(controlPlane, signal);
      progress(`creating ${objects} Websites and their children`);
      await cluster.create(objects, shardNames);
      const empty = await emptyUsage(program);
      progress('shards');
      const shards = await measured(
        cluster,
        shardNames.map((name) => () => program.shard(name)),
        context,
      );
      progress('a singleton');
      const singleton = await measured(cluster, [() => program.singleton()], context);
      const unready = objects - (await cluster.ready());
      return {
        'Websites that are not Ready': { value: unready, unit: '' },
        ...figuresOf(empty, shards, singleton),
      };
    } finally {
      await transport.close();
    }
  },
};

/** Of a shard that has no objects. */
async function emptyUsage(program: OperatorProgram): Promise<ShardUsage> {
  const process = await program.shard('empty');
  await process.idle(0);
  const usage = await process.usage();
  await process.kill();
  return usage;
}

/**
 * Each process from its start, over one change of each of its Websites, until it has nothing more to do. One after the
 * other: several at once would be measured waiting for each other's caches and processors.
 */
async function measured(
  cluster: ShardCluster,
  starts: readonly (() => Promise<OperatorProcess>)[],
  { objects, progress }: BenchmarkContext,
): Promise<Side> {
  const side: Side = { usages: [], startCpuMs: [], startWrites: 0, changeWrites: 0 };
  const [theme, part] = [cluster.newTheme(), starts.length];
  for (const [index, start] of starts.entries()) {
    const before = await cluster.writes();
    const process = await start();
    const own = Math.floor(objects / part);
    await process.idle(own);
    side.startCpuMs.push(await process.cpuMs());
    const started = await cluster.writes();
    progress(`changing ${own} Websites`);
    await cluster.change(theme, { index, part });
    await process.idle(2 * own);
    side.startWrites += started - before;
    side.changeWrites += (await cluster.writes()) - started;
    side.usages.push(await process.usage());
    await process.kill();
  }
  return side;
}

function figuresOf(empty: ShardUsage, shards: Side, singleton: Side): Figures {
  const figures: Record<string, Figure> = {};
  for (const { name, key, unit } of kinds) {
    const base = key === 'heapMb' ? empty.heapMb : 0;
    const ofShards = shards.usages.map((usage) => usage[key] - base);
    const whole = (singleton.usages[0]?.[key] ?? Number.NaN) - base;
    const [greatest, all] = [Math.max(...ofShards), ofShards.reduce((sum, each) => sum + each, 0)];
    figures[`${name}: singleton`] = { value: whole, unit };
    figures[`${name}: greatest shard`] = { value: greatest, unit };
    figures[`${name}: all shards`] = { value: all, unit };
    figures[`${name}: greatest shard / singleton`] = { value: greatest / whole, unit: '×' };
    figures[`${name}: all shards / singleton`] = { value: all / whole, unit: '×' };
    figures[`${key === 'heapMb' ? 'heap' : name}: empty process`] = { value: empty[key], unit };
  }
  // What a process takes to come up is that of each shard as of the singleton.
  const [startOfSingleton = Number.NaN] = singleton.startCpuMs;
  const startOfShards = Math.max(...shards.startCpuMs);
  return {
    ...figures,
    'CPU until it has reconciled all once: singleton': { value: startOfSingleton, unit: 'ms' },
    'CPU until it has reconciled all once: greatest shard / singleton': {
      value: startOfShards / startOfSingleton,
      unit: '×',
    },
    'writes after the start': { value: shards.startWrites + singleton.startWrites, unit: '' },
    'writes for changes: singleton': { value: singleton.changeWrites, unit: '' },
    'writes for changes: shards / singleton': {
      value: shards.changeWrites / singleton.changeWrites,
      unit: '×',
    },
  };
}
