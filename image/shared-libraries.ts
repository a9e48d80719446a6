import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Paths of the shared libraries that a program needs on this machine, the loader among them. */
export async function sharedLibraries(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [program], { env: { ...process.env, LC_ALL: 'C' } });
  return librariesIn(stdout);
}

/** What `ldd` lists. Throws an error that names a library which is not there. */
export function librariesIn(list: string): string[] {
  const missing = list.match(/\S+(?= => not found)/g);
  if (missing) throw new Error(`shared libraries are missing on this machine: ${missing.join(', ')}`);
  // The kernel's own (linux-vdso) has no path.
  return [...list.matchAll(/(?:^\s*|=> )(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []).toSorted();
}
