import { open, readFile, stat } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;

/** Reads the lines that are appended to a file. */
export class LogLines {
  readonly #path: string;
  #offset: number;
  #rest = Buffer.alloc(0);

  /** From `offset` bytes on. The file need not exist yet. */
  constructor(path: string, offset = 0) {
    this.#path = path;
    this.#offset = offset;
  }

  /** The whole lines that came since the last call. */
  async next(): Promise<string[]> {
    const file = await open(this.#path).catch(() => undefined);
    if (!file) return [];
    try {
      const lines: string[] = [];
      for (;;) {
        const { bytesRead, buffer } = await file.read(
          Buffer.alloc(CHUNK_BYTES),
          0,
          CHUNK_BYTES,
          this.#offset,
        );
        if (bytesRead === 0) return lines;
        this.#offset += bytesRead;
        const text = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
        const end = text.lastIndexOf('\n');
        if (end >= 0) lines.push(...text.subarray(0, end).toString().split('\n'));
        this.#rest = text.subarray(end + 1);
      }
    } finally {
      await file.close();
    }
  }
}

/** Bytes in the file now; 0 when there is none. */
export const fileSize = async (path: string): Promise<number> =>
  (await stat(path).catch(() => undefined))?.size ?? 0;

/** The last lines of a file, for an error message; empty when there is none. */
export async function lastLines(path: string, count: number): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
