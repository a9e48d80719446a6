import { tmpdir } from 'node:os';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { type DaemonName, logFolder } from './control-plane-daemons.ts';
import { writeIdentities } from './control-plane-files.ts';
import { ControlPlane } from './control-plane-instance.ts';
import { HarnessError } from './errors.ts';
import { Keeper } from './keeper-client.ts';
import { isPortFree } from './ports.ts';
import { RunLogs } from './run-logs.ts';
import { portBusy, startDaemons } from './start-daemons.ts';

/** Systems allow about 100 characters for the path of a socket; the folder's own name and the socket's need 42. */
const MAX_TMPDIR_LENGTH = 60;

export type { ControlPlane } from './control-plane-instance.ts';

export interface ControlPlaneOptions {
  /** Also runs kube-controller-manager (garbage collection, ServiceAccounts, Deployments, …). Default false. */
  controllerManager?: boolean | undefined;
  /** Also runs kube-scheduler. Default false. */
  scheduler?: boolean | undefined;
  /** The API server's port on 127.0.0.1. Default: a free one. */
  port?: number | undefined;
  /** More flags of the API server. */
  apiServerArgs?: readonly string[] | undefined;
  /** More flags of kube-controller-manager. */
  controllerManagerArgs?: readonly string[] | undefined;
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
  const { signal, port, apiServerArgs, controllerManagerArgs } = options;
  const report = options.report ?? ((line) => process.stderr.write(`${line}\n`));
  signal?.throwIfAborted();
  checkSocketPaths();
  if (port !== undefined && !(await isPortFree(port))) throw portBusy(port);
  const names: DaemonName[] = ['etcd', 'kube-apiserver'];
  if (options.controllerManager) names.push('kube-controller-manager');
  if (options.scheduler) names.push('kube-scheduler');
  const binaries = await ensureBinaries(names, { signal });

  const keeper = Keeper.shared();
  const dir = await keeper.makeFolder('controller-sharding-');
  const logs = new RunLogs(logFolder({ dir }), options.logDir);
  const dispose = async (failed: boolean): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    logs.close();
    try {
      if (failed) report(`The logs of the control plane are kept in ${await logs.keep()}`);
    } finally {
      await keeper.removeFolder(dir);
    }
  };
  let controlPlane: ControlPlane | undefined;
  const onAbort = (): void => void controlPlane?.stop().catch((error: unknown) => report(String(error)));
  try {
    const identities = await writeIdentities(dir);
    const started = await startDaemons({
      keeper,
      dir,
      identities,
      names,
      binaries,
      port,
      apiServerArgs,
      controllerManagerArgs,
      signal,
    });
    const kubectlPath = async (): Promise<string> => (await ensureBinaries(['kubectl'], { signal })).kubectl;
    controlPlane = new ControlPlane({ ...started, identities, kubectlPath, dispose });
    signal?.addEventListener('abort', onAbort);
    return controlPlane;
  } catch (error) {
    await dispose(signal?.aborted !== true);
    throw error;
  }
}

function checkSocketPaths(): void {
  if (tmpdir().length <= MAX_TMPDIR_LENGTH) return;
  throw new HarnessError(
    'START_FAILED',
    `The path of the folder for temporary files, ${tmpdir()}, is too long for sockets: set TMPDIR to a shorter one.`,
  );
}
