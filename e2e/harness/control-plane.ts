import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { type DaemonName, logFolder } from './control-plane-daemons.ts';
import { writeIdentities } from './control-plane-files.ts';
import { ControlPlane } from './control-plane-instance.ts';
import { Keeper } from './keeper-client.ts';
import { isPortFree } from './ports.ts';
import { RunLogs } from './run-logs.ts';
import { portBusy, startDaemons } from './start-daemons.ts';

export type { ControlPlane } from './control-plane-instance.ts';

export interface ControlPlaneOptions {
  /** Also runs kube-controller-manager (garbage collection, ServiceAccounts, Deployments, …). Default false. */
  controllerManager?: boolean | undefined;
  /** Also runs kube-scheduler. Default false. */
  scheduler?: boolean | undefined;
  /** The API server's port on 127.0.0.1. Default: a free one. */
  port?: number | undefined;
  /** Folder that gets the logs of a failed run, in a folder of their own. Default `logs` in the repository. */
  logDir?: string | undefined;
  /** Gets the line that says where logs are kept. Default: standard error. */
  report?: ((line: string) => void) | undefined;
  /** Ends the start, and later the control plane as `stop` does. */
  signal?: AbortSignal | undefined;
}

/**
 * Starts etcd and kube-apiserver, and what else is asked for, in a temporary folder and on loopback; resolves when the
 * API server is ready, after about 4 s. Nothing of it outlives this process, however that ends.
 *
 * Throws HarnessError `PORT_BUSY` for a given port that is in use, `START_FAILED` or `NOT_READY` (the logs are kept
 * then), BinariesError when a binary can't be had, the signal's reason when aborted.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { signal, port } = options;
  const report = options.report ?? ((line) => process.stderr.write(`${line}\n`));
  signal?.throwIfAborted();
  if (port !== undefined && !(await isPortFree(port))) throw portBusy(port);
  const names: DaemonName[] = ['etcd', 'kube-apiserver'];
  if (options.controllerManager) names.push('kube-controller-manager');
  if (options.scheduler) names.push('kube-scheduler');
  const binaries = await ensureBinaries(names, { signal });

  const keeper = Keeper.shared();
  const dir = await keeper.makeFolder('controller-sharding-');
  const logs = new RunLogs(logFolder({ dir }), options.logDir);
  const dispose = async (failed: boolean): Promise<void> => {
    logs.close();
    if (failed) report(`The logs of the control plane are kept in ${await logs.keep()}`);
    await keeper.removeFolder(dir);
  };
  try {
    const identities = await writeIdentities(dir);
    const started = await startDaemons({ keeper, dir, identities, names, binaries, port, signal });
    const kubectlPath = async (): Promise<string> => (await ensureBinaries(['kubectl'], { signal })).kubectl;
    const controlPlane = new ControlPlane({ ...started, identities, kubectlPath, dispose });
    signal?.addEventListener(
      'abort',
      () => void controlPlane.stop().catch((error: unknown) => report(String(error))),
      { once: true },
    );
    return controlPlane;
  } catch (error) {
    await dispose(signal?.aborted !== true);
    throw error;
  }
}
