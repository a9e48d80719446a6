const usualSize = 512 << 10;
const mostSpare = 2;
/** Memory of windows that are no longer used. */
const spare: Buffer[] = [];

const none = Buffer.alloc(0);

const take = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(usualSize);

/**
 * Bytes that have come and are not read yet, in one piece, in memory that is used again and again: a Buffer of its own
 * for each packet would cost more, mostly in garbage collection, than to read what is in it.
 */
export class ByteWindow {
  /** Of no length while nothing is unread: most watches have nothing to read most of the time. */
  #buffer: Buffer = none;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until `consume` or `close`; `append` doesn't change it. */
  get unread(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#buffer === none) this.#buffer = take();
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * length); // the old one may be being read
      larger.set(this.unread);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  consume(length: number): void {
    this.#buffer.copyWithin(0, length, this.#length);
    this.#length -= length;
    if (this.#length === 0) this.close();
  }

  /** Gives the memory back; what is unread is forgotten. */
  close(): void {
    if (this.#buffer.length === usualSize && spare.length < mostSpare) spare.push(this.#buffer);
    this.#buffer = none;
    this.#length = 0;
  }
}
