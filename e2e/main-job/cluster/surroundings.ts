import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { startControlPlane } from '../../harness/control-plane.ts';
import { Keeper } from '../../harness/keeper-client.ts';
import { RunLogs } from '../../harness/run-logs.ts';
import { checkCluster, Made } from './prepare.ts';

const removeTimeoutMs = 90_000;

/** Where the job runs: a control plane of its own, or a cluster that it borrows. */
export interface Surroundings {
  kubeconfig: string;
  url: string;
  /** For logs and traces of processes; kept when the run failed. */
  folder: string;
  client: KubeClient;
  made: Made;
  /** A control plane of its own that nobody else uses. */
  own: boolean;
  /** Removes everything that was made; every process has to have ended. */
  end(failed: boolean): Promise<void>;
}

/** Throws HarnessError or BinariesError when it can't be started. */
export async function ownControlPlane(signal: AbortSignal): Promise<Surroundings> {
  // Afterwards the job itself decides in which order things end.
  const starting = new AbortController();
  const abort = (): void => starting.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const controlPlane = await startControlPlane({ controllerManager: true, signal: starting.signal });
  signal.removeEventListener('abort', abort);
  const { kubeconfigPath: kubeconfig, url } = controlPlane;
  const transport = transportOf(kubeconfig);
  const folder = join(controlPlane.logFolder, 'processes');
  await mkdir(folder, { recursive: true });
  const client = new KubeClient(transport);
  const end = async (failed: boolean): Promise<void> => {
    await transport.close();
    await controlPlane.stop({ failed });
  };
  return { kubeconfig, url, folder, client, made: new Made(client), own: true, end };
}

/** Throws TransportError `KUBE_CONFIG` or ClusterError when the cluster can't be used. */
export async function borrowedCluster(kubeconfig: string, signal: AbortSignal): Promise<Surroundings> {
  const config = loadKubeConfig({ kubeconfig });
  const url = config.cluster.server;
  const transport = new Transport(config, { clock });
  const client = new KubeClient(transport);
  try {
    await checkCluster(client, url, signal);
  } catch (error) {
    await transport.close();
    throw error;
  }
  const keeper = Keeper.shared();
  const folder = await keeper.makeFolder('controller-sharding-');
  const logs = new RunLogs(folder);
  const made = new Made(client);
  const end = async (failed: boolean): Promise<void> => {
    try {
      await made.remove(AbortSignal.timeout(removeTimeoutMs));
    } finally {
      await transport.close();
      logs.close();
      if (failed) process.stderr.write(`The logs of the processes are kept in ${await logs.keep()}\n`);
      await keeper.removeFolder(folder);
    }
  };
  return { kubeconfig, url, folder, client, made, own: false, end };
}

const transportOf = (kubeconfig: string): Transport =>
  new Transport(loadKubeConfig({ kubeconfig }), { clock });
