import { TransportError } from '../errors.ts';
import { ByteWindow } from './byte-window.ts';
import { parseWithoutManagedFields } from './managed-fields.ts';
import { protobufMediaType, readEnvelope, readPartialObject, readStatus } from './metadata-protobuf.ts';
import { lengthTag, ProtobufReader } from './protobuf-reader.ts';

/** An event as it came. */
export interface RawEvent<T> {
  type?: string;
  object?: T | undefined;
}

/** Cuts the events out of a watch's bytes, which may be given in any pieces. Throws TransportError KUBE_RESPONSE. */
export interface WatchDecoder<T> {
  /** The events that end in this piece; each is decoded when it is asked for, and all must be asked for. */
  events(piece: Uint8Array): Generator<RawEvent<T> | null, void, undefined>;
  /** No piece is to come. Throws when an event was begun. */
  end(): void;
  /** In the end, or instead of it. */
  close(): void;
}

/** More than any object can be (the API server takes 3 MiB); what is longer is no event. */
const maxEventBytes = 64 << 20;
const newline = 0x0a;

export const watchDecoder = <T>(contentType: string): WatchDecoder<T> =>
  contentType.startsWith(protobufMediaType) ? new ProtobufWatchDecoder<T>() : new JsonWatchDecoder<T>();

/** A line of JSON for each event. A newline byte is never part of another character, and JSON escapes it in strings. */
class JsonWatchDecoder<T> implements WatchDecoder<T> {
  /** A line of which the end is to come. */
  readonly #begun = new ByteWindow();

  *events(piece: Uint8Array): Generator<RawEvent<T> | null, void, undefined> {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      yield this.#begun.length > 0 ? this.#rest(bytes, end) : parseEvent<T>(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#begun.append(bytes.subarray(start));
    checkLength(this.#begun);
  }

  end(): void {
    checkEnd(this.#begun);
  }

  close(): void {
    this.#begun.close();
  }

  #rest(bytes: Buffer, end: number): RawEvent<T> | null {
    this.#begun.append(bytes.subarray(0, end));
    const event = parseEvent<T>(this.#begun.unread);
    this.#begun.consume(this.#begun.length);
    return event;
  }
}

const objectOf = (event: RawEvent<unknown> | null): unknown => event?.object;

function parseEvent<T>(line: Buffer): RawEvent<T> | null {
  try {
    return parseWithoutManagedFields<RawEvent<T> | null>(line, objectOf);
  } catch (error) {
    throw new TransportError('KUBE_RESPONSE', `not a watch event: ${line.toString('utf8', 0, 100)}`, {
      cause: error,
    });
  }
}

/** A frame for each event: four bytes of length, and a WatchEvent with a metadata-only object. */
class ProtobufWatchDecoder<T> implements WatchDecoder<T> {
  readonly #window = new ByteWindow();

  *events(piece: Uint8Array): Generator<RawEvent<T>, void, undefined> {
    this.#window.append(piece);
    const { unread } = this.#window;
    let start = 0;
    while (unread.length - start >= 4) {
      const end = start + 4 + unread.readUInt32BE(start);
      if (end > unread.length) break;
      const event = readEvent<T>(unread, start + 4, end);
      start = end;
      yield event;
    }
    this.#window.consume(start);
    checkLength(this.#window);
  }

  end(): void {
    checkEnd(this.#window);
  }

  close(): void {
    this.#window.close();
  }
}

function readEvent<T>(bytes: Buffer, start: number, end: number): RawEvent<T> {
  try {
    const reader = new ProtobufReader(bytes, start);
    const event: RawEvent<T> = {};
    while (reader.at < end) {
      const tag = reader.varint();
      if (tag === lengthTag(1)) event.type = reader.string();
      else if (tag === lengthTag(2)) event.object = readObject<T>(bytes, reader);
      else reader.skip(tag);
    }
    return event;
  } catch (error) {
    throw new TransportError('KUBE_RESPONSE', 'not a watch event in protobuf', { cause: error });
  }
}

/** The object in runtime.RawExtension. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- callers say what they asked for
function readObject<T>(bytes: Buffer, reader: ProtobufReader): T | undefined {
  const end = reader.end();
  let object: unknown;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(1)) {
      const documentEnd = reader.end();
      const envelope = readEnvelope(bytes, reader.at, documentEnd);
      reader.at = envelope.start;
      const read = envelope.kind === 'Status' ? readStatus : readPartialObject;
      object = read(reader, envelope.end);
      reader.at = documentEnd;
    } else {
      reader.skip(tag);
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as with JSON, the API server is believed
  return object as T | undefined;
}

function checkLength({ length }: ByteWindow): void {
  if (length > maxEventBytes) throw new TransportError('KUBE_RESPONSE', 'a watch event is too large');
}

function checkEnd({ length }: ByteWindow): void {
  if (length > 0) throw new TransportError('KUBE_RESPONSE', 'the watch ended in the middle of an event');
}
