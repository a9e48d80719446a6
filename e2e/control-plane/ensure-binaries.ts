import { resolve } from 'node:path';
import { BinaryCache, cacheFolder, type Environment, executable } from './binary-cache.ts';
import { canBeDownloaded, downloadEnvtest } from './envtest-download.ts';
import { envtestIndexUrl } from './envtest-index.ts';
import { BinariesError } from './errors.ts';
import { buildFromModule } from './go-build.ts';
import { goModules } from './go-modules.ts';
import { type Progress, standardErrorProgress } from './progress.ts';
import type { BinaryName } from './versions.ts';

export interface EnsureOptions {
  /**
   * KUBEBUILDER_ASSETS (a folder with binaries), XDG_CACHE_HOME, HOME, ENVTEST_INDEX_URL, and what Go reads.
   * Default `process.env`.
   */
  env?: Environment | undefined;
  /** Default: on standard error. Nothing is shown when every binary is there. */
  progress?: Progress | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Absolute paths of the binaries asked for: in KUBEBUILDER_ASSETS, else in the per-user cache, else downloaded (envtest archive)
 * or built (Go modules) into the cache, which takes up to several minutes. Only what is asked for is built.
 *
 * Throws BinariesError, or the signal's reason; the cache then is as it was or has some whole binaries more.
 */
export async function ensureBinaries<Name extends BinaryName>(
  names: readonly Name[],
  { env = process.env, progress = standardErrorProgress, signal }: EnsureOptions = {},
): Promise<Record<Name, string>> {
  const assets = env['KUBEBUILDER_ASSETS'];
  const cache = new BinaryCache(cacheFolder(env));
  const search = async (): Promise<{ found: Map<Name, string>; missing: Name[] }> => {
    const found = new Map<Name, string>();
    for (const name of new Set(names)) {
      const path = (assets && (await executable(resolve(assets, name)))) || (await cache.find(name));
      if (path) found.set(name, path);
    }
    return { found, missing: names.filter((name) => !found.has(name)) };
  };

  let { found, missing } = await search();
  if (missing.length > 0) {
    if (assets) progress.note(`KUBEBUILDER_ASSETS (${assets}) and the cache lack ${missing.join(', ')}`);
    const onWait = (): void =>
      progress.note('Another process is preparing binaries of the control plane: waiting for it');
    await cache.change({ onWait, signal }, async (workFolder) => {
      const work: Work = { cache, workFolder, env, progress, signal };
      ({ missing } = await search()); // the other process may have had the same to do
      if (missing.some(canBeDownloaded)) await download(work, missing.filter(canBeDownloaded));
      ({ missing } = await search());
      await build(work, missing);
    });
    ({ found, missing } = await search());
    if (missing.length > 0)
      throw new BinariesError('BUILD_FAILED', `After the build there is no ${missing.join(', ')}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name is in the map now
  return Object.fromEntries(found) as Record<Name, string>;
}

interface Work {
  cache: BinaryCache;
  workFolder: string;
  env: Environment;
  progress: Progress;
  signal: AbortSignal | undefined;
}

async function download({ progress, env, ...work }: Work, names: readonly BinaryName[]): Promise<void> {
  await progress.step(`Download ${names.join(', ')} (envtest)`, async (report) => {
    try {
      await downloadEnvtest({ ...work, indexUrl: envtestIndexUrl(env), report });
      return undefined;
    } catch (error) {
      if (error instanceof BinariesError && error.code === 'DOWNLOAD_FAILED')
        return `${error.message}; building instead`;
      throw error;
    }
  });
}

async function build({ progress, ...work }: Work, names: readonly BinaryName[]): Promise<void> {
  for (const module of goModules) {
    const built = names.filter((name) => module.packages[name] !== undefined);
    if (built.length === 0) continue;
    await progress.step(`Build ${built.join(', ')} ${module.version} with Go`, async (report) => {
      await buildFromModule({ ...work, module, names: built, report });
      return undefined;
    });
  }
}
