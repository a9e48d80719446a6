import type { KnownStrings } from './known-strings.ts';

/** Reads one protobuf message after the other out of a Buffer: https://protobuf.dev/programming-guides/encoding */
export class ProtobufReader {
  readonly #bytes: Buffer;
  /** Where to read next. */
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Numbers up to 2⁵³ are exact. Throws RangeError beyond the end. */
  varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) throw new RangeError('a protobuf message ends too early');
      this.at += 1;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
  }

  /** Where the field of this length ends that begins here. Throws RangeError when it is cut off. */
  end(): number {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.#bytes.length) throw new RangeError('a protobuf message ends too early');
    return end;
  }

  string(): string {
    const end = this.end();
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }

  /** As `string`, for one that has probably been read before. */
  knownString(known: KnownStrings): string {
    const end = this.end();
    const text = known.read(this.#bytes, this.at, end);
    this.at = end;
    return text;
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        break;
      case 1:
        this.at += 8;
        break;
      case 2:
        this.at = this.end();
        break;
      case 5:
        this.at += 4;
        break;
      default:
        throw new RangeError(`a protobuf message has a field of the unknown type ${tag & 7}`);
    }
  }
}

/** Of a field that has a length: strings, messages, bytes. */
export const lengthTag = (field: number): number => (field << 3) | 2;
/** Of a number or boolean. */
export const varintTag = (field: number): number => field << 3;
