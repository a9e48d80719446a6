interface WithMetadata {
  metadata?: { managedFields?: unknown };
}

const key = Buffer.from('"managedFields":[');
const closeBracket = 0x5d;
const zero = 0x30;
/** What is cut out, until it is known that this was right. */
const cut = Buffer.allocUnsafeSlow(64 << 10);

/**
 * Parses the JSON of an object, or of what `objectOf` takes the object out of, with 0 in place of `managedFields`: often
 * a third of what there is to parse, and nobody is to see them. May overwrite the bytes if it succeeds; throws
 * SyntaxError for what is no JSON.
 *
 * They hold no other arrays, so the first `]` ends them, or is within a string: then what is left has an odd number of
 * quotes, and is no JSON. If they did hold other arrays, the brackets that are left would not be balanced. If it was not
 * `metadata.managedFields`, the 0 isn't there. In all these cases everything is parsed.
 */
export function parseWithoutManagedFields<T>(json: Buffer, objectOf: (parsed: T) => unknown): T {
  const start = json.indexOf(key) + key.length - 1;
  const end = start < key.length ? 0 : json.indexOf(closeBracket, start) + 1;
  const length = end - start;
  if (end > 0 && length <= cut.length) {
    const left = json.length - length + 1;
    json.copy(cut, 0, start, end);
    json[start] = zero;
    json.copyWithin(start + 1, end);
    try {
      const parsed: T = JSON.parse(json.toString('utf8', 0, left));
      const object = (objectOf(parsed) ?? {}) as WithMetadata;
      if (object.metadata?.managedFields === 0) return parsed;
    } catch {
      // It was something else.
    }
    json.copyWithin(end, start + 1, left);
    cut.copy(json, start, 0, length);
  }
  const parsed: T = JSON.parse(json.toString());
  return parsed;
}
