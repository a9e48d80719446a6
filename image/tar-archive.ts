/** A file, or a folder if it has no content. */
export interface ArchiveEntry {
  /** Without a slash at the beginning and the end. */
  path: string;
  content?: Uint8Array | undefined;
  /** Permissions. Default: 0644; of folders 0755. */
  mode?: number | undefined;
}

const BLOCK = 512;

/**
 * A tar archive (POSIX ustar) of these entries and the folders in which they are. The same entries make the same bytes:
 * they are sorted, belong to root, and are of the year 1970. Throws RangeError for a path of more than 100 bytes.
 */
export function tarArchive(entries: readonly ArchiveEntry[]): Buffer {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (const folder of foldersOf(path)) if (!all.has(folder)) all.set(folder, { path: folder });
  }
  const sorted = [...all.values()].toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  const blocks = sorted.flatMap((entry) => {
    const content = entry.content ?? new Uint8Array();
    return [header(entry, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

const foldersOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_name, index, names) => names.slice(0, index + 1).join('/'));

function header({ path, content, mode }: ArchiveEntry, size: number): Buffer {
  const isFile = content !== undefined;
  const name = Buffer.from(isFile ? path : `${path}/`);
  if (name.length > 100) throw new RangeError(`too long a path for the archive: ${path}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  };
  name.copy(block);
  octal(mode ?? (isFile ? 0o644 : 0o755), 100, 8);
  octal(0, 108, 8); // user
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(0, 136, 12); // time
  block.fill(' ', 148, 156); // counts as blanks in the checksum
  block.write(isFile ? '0' : '5', 156);
  block.write('ustar\x0000', 257);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    8,
  );
  return block;
}
