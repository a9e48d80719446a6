const slots = 256;
const longest = 64;

interface Known {
  bytes: Buffer;
  text: string;
}

/**
 * Strings that come again and again, as keys of labels: to compare a few bytes is faster than to decode them, and all
 * objects then share one string. The number of strings that it remembers is limited.
 */
export class KnownStrings {
  readonly #known: (Known | undefined)[] = Array.from({ length: slots });

  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > longest) return bytes.toString('utf8', start, end);
    const middle = bytes[start + (length >> 1)] ?? 0;
    const slot = (31 * (bytes[end - 1] ?? 0) + 7 * middle + length) % slots;
    const known = this.#known[slot];
    if (known && isAt(bytes, start, end, known.bytes)) return known.text;
    const text = bytes.toString('utf8', start, end);
    this.#known[slot] = { bytes: Buffer.from(bytes.subarray(start, end)), text };
    return text;
  }
}

function isAt(bytes: Buffer, start: number, end: number, known: Buffer): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at += 1) if (bytes[start + at] !== known[at]) return false;
  return true;
}
