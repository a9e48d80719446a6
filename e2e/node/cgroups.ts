import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../harness/wait-for.ts';
import { CGROUP_PREFIX } from './layout.ts';

const ROOT = '/sys/fs/cgroup';
/** Version 2 has one hierarchy, in which controllers are handed down on request. */
const isUnified = existsSync(join(ROOT, 'cgroup.controllers'));
const REMOVE_TIMEOUT_MS = 5_000;

async function hierarchies(): Promise<string[]> {
  if (isUnified) return [ROOT];
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(ROOT, name));
}

/** Makes the cgroup below which kubelet puts all pods, in every hierarchy. */
export async function makeCgroup(name: string): Promise<void> {
  if (isUnified) await writeFile(join(ROOT, 'cgroup.subtree_control'), '+cpu +cpuset +memory +pids +io');
  for (const hierarchy of await hierarchies()) {
    const folder = join(hierarchy, name);
    await mkdir(folder, { recursive: true });
    // Version 1: no process can be in it before these are set.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (!isUnified && existsSync(join(hierarchy, file))) {
        await writeFile(join(folder, file), await readFile(join(hierarchy, file)));
      }
    }
  }
}

/** Removes a node's cgroups; its processes have been killed. */
export async function removeCgroup(name: string): Promise<void> {
  await waitFor(
    `the end of all processes in the cgroup ${name}`,
    async () => {
      let gone = true;
      for (const hierarchy of await hierarchies()) gone = (await removeTree(join(hierarchy, name))) && gone;
      return gone;
    },
    { timeoutMs: REMOVE_TIMEOUT_MS },
  );
}

/** Removes what clusters left behind whose process was killed. */
export async function removeLeftCgroups(): Promise<void> {
  const names = new Set<string>();
  for (const hierarchy of await hierarchies()) for (const name of await readdir(hierarchy)) names.add(name);
  for (const name of names) {
    if (!name.startsWith(CGROUP_PREFIX)) continue;
    const pid = /^\d+/.exec(name.slice(CGROUP_PREFIX.length))?.[0];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeCgroup(name).catch(() => {});
  }
}

/** Folders are all that can be removed of a cgroup; true when it is gone. */
async function removeTree(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  return rmdir(folder).then(
    () => true,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  );
}
