import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArchiveEntry } from './tar-archive.ts';

/** Writes into a folder what `tarArchive` would put into an archive. */
export async function writeEntries(folder: string, entries: readonly ArchiveEntry[]): Promise<void> {
  for (const { path, content, mode } of entries) {
    const target = join(folder, path);
    await mkdir(content === undefined ? target : dirname(target), { recursive: true });
    if (content !== undefined) await writeFile(target, content);
    if (mode !== undefined) await chmod(target, mode);
  }
}
