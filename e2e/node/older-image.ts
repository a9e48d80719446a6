import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../control-plane/binary-cache.ts';
import { runCommand } from './commands.ts';

/** The first version whose image and manifests work together on a cluster. */
const OLDER_COMMIT = '5194400';
const VERSION = `0.0.0-older.${OLDER_COMMIT}`;

const repository = fileURLToPath(new URL('../../', import.meta.url));
const BUILD_TIMEOUT_MS = 300_000;

export interface OlderVersion {
  /** OCI archive. */
  archive: string;
  /** `repository:tag`; another one than that of the sources as they are now. */
  image: string;
  /** Folder. */
  manifests: string;
}

/**
 * An earlier version of the product, from its own sources, with its own dependencies, by its own build: made once and kept
 * in the cache. Throws where the history of the sources is not there.
 */
export async function olderVersion(): Promise<OlderVersion> {
  const folder = join(dirname(cacheFolder(process.env)), 'older-versions', OLDER_COMMIT);
  if (!existsSync(folder)) await build(folder);
  return {
    archive: join(folder, 'dist', 'image.tar'),
    image: `localhost/controller-sharding:${VERSION}`,
    manifests: join(folder, 'manifests'),
  };
}

/** What is finished is put in its place in one step. */
async function build(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    const sources = join(work, 'sources.tar');
    await runCommand('git', ['-C', repository, 'archive', '-o', sources, OLDER_COMMIT]).catch(
      (error: unknown) => {
        throw new Error(
          `The test of upgrades needs the sources of commit ${OLDER_COMMIT}: run it in a git clone with its history ` +
            '(git fetch --unshallow, if the clone is shallow).',
          { cause: error },
        );
      },
    );
    await runCommand('tar', ['-xf', sources, '-C', work]);
    await rm(sources);
    const inside = { cwd: work, timeoutMs: BUILD_TIMEOUT_MS };
    // Its name in the cluster must not be that of the present version.
    await runCommand('npm', ['pkg', 'set', `version=${VERSION}`], inside);
    await runCommand('npm', ['install', '--no-save', '--no-audit', '--no-fund'], inside);
    await runCommand('npm', ['run', '--silent', 'image'], inside);
    await rm(join(work, 'node_modules'), { recursive: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
