/**
 * `main.ts up [NODES]` and `main.ts down`: a cluster with real nodes on this machine, with metrics-server, and with the image
 * of these sources.
 */
import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runProcess, UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { waitFor } from '../harness/wait-for.ts';
import { clusterState, keeperPid, keepProgram, makeState, removeState, writePid } from './cluster-state.ts';
import { runCommand } from './commands.ts';
import { metricsServer } from './metrics-server.ts';
import { nodeBinaries } from './node-daemons.ts';
import { productImage } from './product-image.ts';
import { checkMachine } from './requirements.ts';

const DOWN_TIMEOUT_MS = 30_000;
const MAX_NODES = 9;

await runProcess('cluster', async (signal) => {
  const [command, nodes = '1', ...rest] = process.argv.slice(2);
  const count = Number(nodes);
  if (rest.length > 0 || !Number.isInteger(count) || count < 1 || count > MAX_NODES)
    throw new UsageError(`one number of nodes, from 1 to ${MAX_NODES}`);
  if (command === 'up') await up(count, signal);
  else if (command === 'down') await down();
  else throw new UsageError('what to do: up [NODES] or down');
});

async function up(nodes: number, signal: AbortSignal): Promise<void> {
  if ((await keeperPid()) !== undefined)
    throw new UsageError(`a cluster is up already: KUBECONFIG=${clusterState.kubeconfig}`);
  await checkMachine();
  const { kubectl } = await ensureBinaries([...nodeBinaries, 'kubectl'], { signal });
  const { name, archive } = await productImage();
  await makeState();
  const metrics = await metricsServer();
  await startKeeper(nodes, [archive, metrics.archive], signal);
  const env = { KUBECONFIG: clusterState.kubeconfig };
  await runCommand(kubectl, ['apply', '-f', '-'], { input: metrics.manifests, env, signal });
  process.stdout.write(`The cluster is up, with the image ${name}. In your shell:

  export KUBECONFIG=${clusterState.kubeconfig}
  export PATH=${dirname(kubectl)}:$PATH

make cluster-down ends it.
`);
}

/** The process is its own session's, so that it stays when this one has ended. */
async function startKeeper(nodes: number, archives: readonly string[], signal: AbortSignal): Promise<void> {
  const log = await open(clusterState.log, 'w');
  const child = spawn(process.execPath, [keepProgram, String(nodes), ...archives], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  await log.close();
  if (child.pid !== undefined) await writePid(child.pid);
  const stop = (): void => void child.kill();
  signal.addEventListener('abort', stop);
  const isUp = await new Promise<boolean>((resolve, reject) => {
    child.once('message', () => resolve(true));
    child.once('exit', () => resolve(false));
    child.once('error', reject);
  });
  signal.removeEventListener('abort', stop);
  child.unref();
  signal.throwIfAborted();
  if (!isUp) throw new Error(`The cluster didn't come up:\n${await readFile(clusterState.log, 'utf8')}`);
}

async function down(): Promise<void> {
  const pid = await keeperPid();
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    const isGone = async (): Promise<boolean> => (await keeperPid()) === undefined;
    await waitFor('the end of the cluster', isGone, { timeoutMs: DOWN_TIMEOUT_MS });
  }
  await removeState();
  process.stdout.write(pid === undefined ? 'No cluster was up.\n' : 'The cluster is gone.\n');
}
