import { existsSync } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { withFolderLock } from './cache-lock.ts';
import { BinariesError } from './errors.ts';
import { moduleOf } from './go-modules.ts';
import { type BinaryName, KUBERNETES_VERSION } from './versions.ts';

const PLATFORM = `${process.platform}-${process.arch}`;
const WORK_PREFIX = 'work-';
const ENVTEST_PREFIX = 'envtest-v';
const MINOR = KUBERNETES_VERSION.replace(/\.\d+$/, '');

/** Environment variables, as `process.env`. */
export type Environment = Record<string, string | undefined>;

/** `$XDG_CACHE_HOME/controller-sharding/control-plane`, else the same in `~/.cache`. */
export function cacheFolder(env: Environment): string {
  const configured = env['XDG_CACHE_HOME'];
  // A relative one is to be ignored (XDG Base Directory Specification).
  const base = configured && isAbsolute(configured) ? configured : join(env['HOME'] || homedir(), '.cache');
  return join(base, 'controller-sharding', 'control-plane');
}

/** Name of the folder for what was built here. */
export function builtFolder(binary: BinaryName): string {
  const { name, version } = moduleOf(binary);
  return `${name}-v${version}-${PLATFORM}`;
}

/** Name of the folder for what came from an envtest archive of the given version of Kubernetes. */
export const envtestFolder = (version: string): string => `${ENVTEST_PREFIX}${version}-${PLATFORM}`;

/** The path, if there is a program. */
export async function executable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { size } = await stat(path);
    return size > 0 ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The per-user folder of binaries, a folder in it for each origin and version. A binary is in its place only when it
 * is whole: it is made in a work folder beside and then renamed.
 */
export class BinaryCache {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** A built binary of the wanted version, or one of the same minor version from an envtest archive. */
  async find(name: BinaryName): Promise<string | undefined> {
    const entries = await readdir(this.folder).catch((): string[] => []);
    const downloaded = entries
      .filter((entry) => entry.startsWith(`${ENVTEST_PREFIX}${MINOR}.`) && entry.endsWith(PLATFORM))
      .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    for (const folder of [builtFolder(name), ...downloaded]) {
      const found = await executable(join(this.folder, folder, name));
      if (found) return found;
    }
    return undefined;
  }

  /** Puts a finished file of a work folder in its place. */
  async install(name: BinaryName, folder: string, file: string): Promise<void> {
    await mkdir(join(this.folder, folder), { recursive: true });
    await chmod(file, 0o755);
    await rename(file, join(this.folder, folder, name));
  }

  /**
   * Runs `work` with an empty work folder, while no other process changes the cache. Throws BinariesError
   * `CACHE_UNWRITABLE`.
   */
  async change<T>(
    options: { onWait: () => void; signal: AbortSignal | undefined },
    work: (workFolder: string) => Promise<T>,
  ): Promise<T> {
    await this.#checkWritable();
    return withFolderLock(this.folder, options, async () => {
      await this.#removeLeftovers();
      const workFolder = await mkdtemp(join(this.folder, WORK_PREFIX));
      try {
        return await work(workFolder);
      } finally {
        await rm(workFolder, { recursive: true, force: true });
      }
    });
  }

  async #checkWritable(): Promise<void> {
    try {
      await makeFolder(this.folder);
      await access(this.folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new BinariesError(
        'CACHE_UNWRITABLE',
        `Can't write to the cache folder ${this.folder} (${reason}).\n` +
          'Make it writable, or set XDG_CACHE_HOME to a folder that is.',
        { cause: error },
      );
    }
  }

  /** Those of processes that were killed; nobody else works here while the lock is held. */
  async #removeLeftovers(): Promise<void> {
    for (const entry of await readdir(this.folder)) {
      if (entry.startsWith(WORK_PREFIX)) await rm(join(this.folder, entry), { recursive: true, force: true });
    }
  }
}

/** With the folders above it. Node's own `recursive` never ends where mkdir answers ENOENT for good, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) await makeFolder(parent);
  if (!existsSync(path)) await mkdir(path);
}
