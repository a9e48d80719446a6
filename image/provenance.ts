import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** From what an image was made, and when. */
export interface Provenance {
  version: string;
  /** Of the sources; undefined where nobody knows. */
  revision: string | undefined;
  /** RFC 3339: of the sources, not of the build, so that the same sources make the same image. */
  created: string;
}

const git = async (...args: string[]): Promise<string | undefined> => {
  try {
    const { stdout } = await promisify(execFile)('git', args, { cwd: import.meta.dirname });
    return stdout.trim();
  } catch {
    return undefined; // no git, or no repository
  }
};

/** As $SOURCE_DATE_EPOCH (seconds) and the repository say; without both the image is of the year 1970. */
export async function provenance(): Promise<Provenance> {
  const { version }: { version: string } = JSON.parse(
    await readFile(new URL('../package.json', import.meta.url), 'utf8'),
  );
  const commit = await git('rev-parse', 'HEAD');
  const changed = (await git('status', '--porcelain')) !== '';
  const seconds = process.env['SOURCE_DATE_EPOCH'] ?? (await git('log', '-1', '--format=%ct')) ?? '0';
  return {
    version,
    revision: commit && (changed ? `${commit}-dirty` : commit),
    created: new Date(Number(seconds) * 1_000).toISOString().replace('.000Z', 'Z'),
  };
}
