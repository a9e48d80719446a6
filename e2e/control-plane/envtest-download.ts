import { createHash } from 'node:crypto';
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import { type BinaryCache, envtestFolder } from './binary-cache.ts';
import { type EnvtestArchive, findEnvtestArchive } from './envtest-index.ts';
import { BinariesError } from './errors.ts';
import { fetchChunks } from './fetch-chunks.ts';
import type { Report } from './progress.ts';
import { type BinaryName, isBinaryName } from './versions.ts';

/** What the archives hold; the others are always built. */
const IN_ARCHIVE: readonly BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];

export const canBeDownloaded = (name: BinaryName): boolean => IN_ARCHIVE.includes(name);

export interface DownloadOptions {
  indexUrl: string;
  cache: BinaryCache;
  workFolder: string;
  report: Report;
  signal: AbortSignal | undefined;
}

/**
 * Downloads the envtest archive for this machine, and installs what it holds if its checksum is the index's. Throws
 * BinariesError `DOWNLOAD_FAILED`; nothing is installed then.
 */
export async function downloadEnvtest(options: DownloadOptions): Promise<void> {
  const { cache, workFolder, signal } = options;
  try {
    const archive = await findEnvtestArchive(options.indexUrl, signal);
    if (!archive) throw new Error(`${options.indexUrl} has no archive for this machine`);
    const file = join(workFolder, 'envtest.tar.gz');
    await downloadVerified(archive, file, options);
    options.report('unpacking');
    const unpacked = join(workFolder, 'envtest');
    await mkdir(unpacked);
    await extract({ file, cwd: unpacked });
    for (const entry of await readdir(unpacked, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !isBinaryName(entry.name)) continue;
      await cache.install(entry.name, envtestFolder(archive.version), join(entry.parentPath, entry.name));
    }
  } catch (error) {
    signal?.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    throw new BinariesError('DOWNLOAD_FAILED', message, { cause: error });
  }
}

async function downloadVerified(
  { url, sha512 }: EnvtestArchive,
  file: string,
  { report, signal }: DownloadOptions,
): Promise<void> {
  const hash = createHash('sha512');
  const output = await open(file, 'w');
  try {
    let received = 0;
    for await (const { bytes, total } of fetchChunks(url, signal)) {
      hash.update(bytes);
      await output.writeFile(bytes);
      received += bytes.length;
      if (total === undefined) report(`${megabytes(received)} MB`);
      else report(`${megabytes(received)} of ${megabytes(total)} MB`, received / total);
    }
  } finally {
    await output.close();
  }
  if (hash.digest('hex') !== sha512.toLowerCase())
    throw new Error(`${url}: its checksum isn't the one in the index, so it is not installed`);
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
