import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import type { Benchmark, BenchmarkContext, Figures } from './benchmark.ts';
import { measure } from './measure.ts';
import { recordWatch } from './watch-recording.ts';
import type { ReplayInput, ReplayListens } from './watch-replay.ts';

export interface WatchInput {
  kubeconfig: string;
  /** Events before the measurement, so that code is compiled. */
  warmUp: number;
  events: number;
}

export interface WatchResult {
  events: number;
}

const eventsPerSecond = 20_000;
const warmUp = 20_000;

/** Our watch beside client-node's, both of which are sent the same bytes, recorded from a real API server. */
export const watch: Benchmark = {
  name: 'watch',
  purpose:
    'CPU for each event of a watch, beside @kubernetes/client-node, and stalls at 20,000 events per second',
  objects: 100_000,
  bounds: [
    { figure: 'CPU ratio', atMost: 0.8 },
    { figure: 'ours: longest stall', atMost: 20 },
  ],
  async run(context) {
    const folder = await mkdtemp(join(tmpdir(), 'bench-watch-'));
    try {
      const file = join(folder, 'watch.jsonl');
      const recorded = await record(file, context);
      context.progress(`recorded ${recorded} events`);
      return await replayed(file, join(folder, 'kubeconfig'), context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function record(file: string, { signal, progress }: BenchmarkContext): Promise<number> {
  progress('starting a control plane');
  await using controlPlane = await startControlPlane({ signal, report: progress });
  const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
  try {
    return await recordWatch({ transport, client: new KubeClient(transport), file }, { signal, progress });
  } finally {
    await transport.close();
  }
}

async function replayed(file: string, kubeconfig: string, context: BenchmarkContext): Promise<Figures> {
  const server = fork(fileURLToPath(new URL('./watch-replay.ts', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    server.send({ file, eventsPerSecond } satisfies ReplayInput);
    const [listens]: ReplayListens[] = await once(server, 'message', { signal: context.signal });
    if (!listens) throw new Error('the replaying server does not listen');
    await writeFile(kubeconfig, kubeconfigOf(listens.port));
    return await compare(kubeconfig, context);
  } finally {
    server.kill('SIGKILL');
  }
}

async function compare(
  kubeconfig: string,
  { objects, signal, progress }: BenchmarkContext,
): Promise<Figures> {
  const figures: Record<string, Figures[string]> = {};
  const cpuOf = async (name: string, program: URL): Promise<number> => {
    progress(name);
    const input: WatchInput = { kubeconfig, warmUp, events: objects };
    const side = await measure<WatchResult>(program, input, signal);
    if (side.result.events !== objects) throw new Error(`${name}: got ${side.result.events} events`);
    Object.assign(figures, {
      [`${name}: CPU per event`]: { value: (side.cpuMs * 1_000) / objects, unit: 'µs' },
      [`${name}: events per second`]: { value: (objects * 1_000) / side.wallMs, unit: 'per s' },
      [`${name}: peak RSS`]: { value: side.peakRssMb, unit: 'MB' },
      [`${name}: longest stall`]: { value: side.stallMs, unit: 'ms' },
      [`${name}: longest stall on the clock`]: { value: side.wallStallMs, unit: 'ms' },
      [`${name}: idle process meanwhile`]: { value: side.idleWallStallMs, unit: 'ms' },
    });
    return side.cpuMs;
  };
  const theirs = await cpuOf('client-node', new URL('./watch-client-node.ts', import.meta.url));
  const ours = await cpuOf('ours', new URL('./watch-ours.ts', import.meta.url));
  return { ...figures, 'CPU ratio': { value: ours / theirs, unit: '×' } };
}

const kubeconfigOf = (port: number): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    // client-node takes a server without TLS only if told that nothing is to be verified.
    clusters: [
      { name: 'replay', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'replay', context: { cluster: 'replay', user: 'nobody' } }],
    'current-context': 'replay',
  });
