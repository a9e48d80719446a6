import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the process that keeps the cluster. */
export const keepProgram = fileURLToPath(new URL('./keep.ts', import.meta.url));

/** The folder of the one cluster that outlives its command. */
const folder = join(tmpdir(), 'controller-sharding-cluster');

export const clusterState = {
  folder,
  kubeconfig: join(folder, 'kubeconfig'),
  log: join(folder, 'log'),
};
const pidFile = join(folder, 'pid');

/** Undefined when no cluster is kept; a pid that now is another program's doesn't count. */
export async function keeperPid(): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!pid) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(keepProgram) ? pid : undefined;
}

export async function makeState(): Promise<void> {
  await removeState();
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

export const writePid = (pid: number): Promise<void> => writeFile(pidFile, String(pid));

export const removeState = (): Promise<void> => rm(folder, { recursive: true, force: true });
