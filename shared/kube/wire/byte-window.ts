const usualSize = 512 << 10;
const mostSpare = 8;
/** Memory of windows that are no longer used. */
const spare: Buffer[] = [];

const take = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(usualSize);

/**
 * Bytes that have come and are not read yet, in one piece, in memory that is used again and again: a Buffer of its own
 * for each packet would cost more, mostly in garbage collection, than to read what is in it.
 */
export class ByteWindow {
  #buffer = take();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until `consume` or `close`; `append` doesn't change it. */
  get unread(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
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
    if (this.#length === 0 && this.#buffer.length > usualSize) this.#buffer = take();
  }

  /** Gives the memory back; the window is not used any more. */
  close(): void {
    if (this.#buffer.length === usualSize && spare.length < mostSpare) spare.push(this.#buffer);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }
}
