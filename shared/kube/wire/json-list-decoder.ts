import { TransportError } from '../errors.ts';
import { ByteWindow } from './byte-window.ts';
import type { ListDecoder, ListEnd } from './list-decoder.ts';
import { parseWithoutManagedFields } from './managed-fields.ts';

interface ListDocument<T> {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: T[] | null;
}

const itemsKey = Buffer.from('"items":[');

/**
 * Parses the items of a list one by one, so that no page is too large for the event loop, and nothing large is kept.
 * Where an item ends is guessed by how items begin, all in the same way (`},{"metadata":`); where the guess is wrong,
 * the text before it is no JSON, since the braces are not balanced, and the braces are counted. (In a string, such text
 * cannot stand: its quotes are escaped.)
 */
export class JsonListDecoder<T> implements ListDecoder<T> {
  readonly #window = new ByteWindow();
  /** What comes before the items; undefined until they begin. */
  #head: string | undefined;
  /** The end of an item and the beginning of the next; undefined until the first has begun. */
  #seam: Buffer | undefined;

  *items(piece: Uint8Array): Generator<T, void, undefined> {
    let searched = Math.max(0, this.#window.length - (this.#seam ?? itemsKey).length);
    this.#window.append(piece);
    if (this.#head === undefined) {
      if (!this.#findItems(searched)) return;
      searched = 0;
    }
    const { unread } = this.#window;
    this.#seam ??= seamOf(unread);
    if (!this.#seam) return;
    let start = unread[0] === comma ? 1 : 0;
    for (let at = unread.indexOf(this.#seam, searched); at >= 0; at = unread.indexOf(this.#seam, start)) {
      const item = parseUpTo<T>(unread, start, at + 1);
      if (!item) break;
      start = item.end;
      yield item.value;
      if (unread[start] !== comma) break; // the last item, or the last byte
      start += 1;
    }
    this.#window.consume(start);
  }

  end(): ListEnd<T> {
    const { unread } = this.#window;
    const items: T[] = [];
    let start = unread[0] === comma ? 1 : 0;
    while (this.#head !== undefined && unread[start] === openBrace) {
      const item = parseUpTo<T>(unread, start, undefined);
      if (!item) break;
      items.push(item.value);
      start = unread[item.end] === comma ? item.end + 1 : item.end;
    }
    const document = parse(
      unread.subarray(start),
      (json): ListDocument<T> => JSON.parse((this.#head ?? '') + json.toString()),
    );
    return {
      items: items.concat(document.items ?? []), // a list that looks otherwise, or is empty: `items` can be null
      resourceVersion: document.metadata?.resourceVersion ?? '',
      continue: document.metadata?.continue || undefined,
    };
  }

  close(): void {
    this.#window.close();
  }

  #findItems(from: number): boolean {
    const { unread } = this.#window;
    const at = unread.indexOf(itemsKey, from);
    if (at < 0) return false;
    const end = at + itemsKey.length;
    this.#head = unread.toString('utf8', 0, end);
    this.#window.consume(end);
    return true;
  }
}

/** `},{"metadata":`, if the items begin with `{"metadata":`. */
function seamOf(items: Buffer): Buffer | undefined {
  const end = items.indexOf(colon) + 1;
  return end > 0 && items[0] === openBrace
    ? Buffer.concat([Buffer.from('},'), items.subarray(0, end)])
    : undefined;
}

/** The object that begins at `start`, and where it ends: at the guess or, where that is wrong, anywhere. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers say what they asked for
function parseUpTo<T>(
  bytes: Buffer,
  start: number,
  guess: number | undefined,
): { value: T; end: number } | undefined {
  if (guess !== undefined) {
    try {
      return { value: parseItem<T>(bytes.subarray(start, guess)), end: guess };
    } catch {
      // A seam within an item.
    }
  }
  const end = endOfObject(bytes, start);
  return end === undefined ? undefined : { value: parse(bytes.subarray(start, end), parseItem<T>), end };
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers say what they asked for
const parseItem = <T>(json: Buffer): T => parseWithoutManagedFields<T>(json, (item) => item);

function parse<T>(json: Buffer, parser: (json: Buffer) => T): T {
  try {
    return parser(json);
  } catch (error) {
    throw new TransportError('KUBE_RESPONSE', `not a list: ${json.toString('utf8', 0, 100)}`, {
      cause: error,
    });
  }
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Where the object that begins at `start` has ended; undefined if it doesn't. */
function endOfObject(bytes: Buffer, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      at += 1;
      while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    } else if (byte === openBrace) {
      depth += 1;
    } else if (byte === closeBrace) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}
