import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 64 * 1024;
/** A line longer than this is no line of a trace. */
const maxLineBytes = 1024 * 1024;

/** Follows a file that another process appends lines to. */
export class TraceTail {
  readonly #path: string;
  readonly #onLine: (line: string) => void;
  #file: FileHandle | undefined;
  #position = 0;
  /** The begin of a line whose end isn't written yet. */
  #partial: Buffer = Buffer.alloc(0);

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.#onLine = onLine;
  }

  /** Delivers every whole line written so far. Throws an Error on a line that is too long. */
  async poll(): Promise<void> {
    this.#file ??= await open(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (this.#file === undefined) return;
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await this.#file.read(buffer, 0, chunkBytes, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      this.#lines(buffer.subarray(0, bytesRead));
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  #lines(bytes: Buffer): void {
    let rest = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.toString('utf8', 0, end);
      rest = rest.subarray(end + 1);
      if (line !== '') this.#onLine(line);
    }
    if (rest.length > maxLineBytes)
      throw new Error(`${this.#path}: a line of more than ${maxLineBytes} bytes`);
    this.#partial = Buffer.from(rest);
  }
}
