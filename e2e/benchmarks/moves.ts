import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import type { RunningProcess } from '../harness/processes.ts';
import { startSharder } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Benchmark } from './benchmark.ts';
import { createOwners, prepareCluster } from './moves-cluster.ts';
import { bounds, figuresOf } from './moves-kinds.ts';
import { MovesObserver } from './moves-observer.ts';
import { RawSide } from './moves-raw-side.ts';
import { MovesRun } from './moves-run.ts';
import { MovesShards } from './moves-shards.ts';

const firstShards = 3;
const checkSeconds = 3;

/** The sharder's and the shards' processes; owners with one child each; a client that only patches beside them. */
export const moves: Benchmark = {
  name: 'moves',
  purpose: 'moves at a join, a graceful stop and a SIGKILL: writes, rate beside bare patches, order',
  objects: 10_000,
  bounds,
  async run(context) {
    const { objects, signal, progress } = context;
    progress('starting a control plane and three shards');
    await using controlPlane = await startControlPlane({ signal, report: progress });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
    const client = new KubeClient(transport);
    const shards = new MovesShards(controlPlane, signal);
    const observer = new MovesObserver(client);
    const ended = new AbortController();
    const observing = observer.run(ended.signal);
    const raw = new RawSide(controlPlane.kubeconfigPath, observer, signal);
    let sharder: RunningProcess | undefined;
    try {
      await prepareCluster(client, signal);
      for (let count = 0; count < firstShards; count += 1) await shards.start();
      progress(`creating ${objects} owners with a child each`);
      await createOwners(client, objects, shards.names, signal);
      await waitFor('the observer', () => observer.size === objects, { timeoutMs: 30_000, signal });
      sharder = await start(controlPlane, signal);
      const checkMs = checkSeconds * 1_000;
      return figuresOf(
        await new MovesRun({ transport, shards, observer, raw, sharder, checkMs }, context).all(),
      );
    } finally {
      await sharder?.stop();
      await shards.stop();
      raw.stop();
      ended.abort();
      await observing;
      await transport.close();
    }
  },
};

/** The sharder as its users start it. */
async function start(
  { kubeconfigPath, logFolder }: ControlPlane,
  signal: AbortSignal,
): Promise<RunningProcess> {
  const address = `127.0.0.1:${await freePort()}`;
  const webhook = {
    server: { bindAddress: address },
    config: { clientConfig: { url: `https://${address}` } },
  };
  const config = { controller: { sharder: { syncPeriod: `${checkSeconds}s` } } };
  return startSharder({ kubeconfigPath, logFolder, webhook, config, signal });
}
