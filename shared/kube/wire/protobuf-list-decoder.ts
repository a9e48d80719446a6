import { TransportError } from '../errors.ts';
import { ByteWindow } from './byte-window.ts';
import type { ListDecoder, ListEnd } from './list-decoder.ts';
import { isProtobuf, magic, readListMeta, readPartialObject } from './metadata-protobuf.ts';
import { lengthTag, ProtobufReader } from './protobuf-reader.ts';

/** A field that has a length, of which perhaps only the head has come. */
interface Field {
  tag: number;
  start: number;
  end: number;
}

/** Reads a PartialObjectMetadataList (ListMeta, items) in its envelope (runtime.Unknown: kind, bytes of the list). */
export class ProtobufListDecoder<T> implements ListDecoder<T> {
  readonly #window = new ByteWindow();
  #meta = { resourceVersion: '', continue: '' };
  #begun = false;
  /** Bytes of the list that are not read yet; undefined before it begins. */
  #left: number | undefined;

  *items(piece: Uint8Array): Generator<T, void, undefined> {
    this.#window.append(piece);
    const { unread } = this.#window;
    let at = this.#begin(unread);
    while (this.#begun && this.#left !== 0) {
      const field = fieldAt(unread, at);
      if (!field) break;
      if (this.#left === undefined && field.tag === lengthTag(2)) {
        this.#left = field.end - field.start;
        at = field.start;
        continue;
      }
      if (field.end > unread.length) break;
      const inList = this.#left !== undefined;
      if (this.#left !== undefined) this.#left -= field.end - at;
      at = field.end;
      if (inList && field.tag === lengthTag(1)) this.#meta = decode(unread, field, readListMeta);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as with JSON, the API server is believed
      if (inList && field.tag === lengthTag(2)) yield decode(unread, field, readPartialObject) as T;
    }
    this.#window.consume(this.#left === 0 ? unread.length : at); // what follows the list says nothing more
  }

  end(): ListEnd<T> {
    if (this.#left !== 0) throw notAList();
    const { resourceVersion, continue: token } = this.#meta;
    return { items: [], resourceVersion, continue: token || undefined };
  }

  close(): void {
    this.#window.close();
  }

  /** Where the first field is. */
  #begin(unread: Buffer): number {
    if (this.#begun || unread.length < magic.length) return 0;
    if (!isProtobuf(unread)) throw notAList();
    this.#begun = true;
    return magic.length;
  }
}

function fieldAt(bytes: Buffer, at: number): Field | undefined {
  const reader = new ProtobufReader(bytes, at);
  let tag: number;
  let length: number;
  try {
    tag = reader.varint();
    length = reader.varint();
  } catch {
    return undefined; // not all of its head has come
  }
  if (tag !== lengthTag(tag >> 3)) throw notAList();
  return { tag, start: reader.at, end: reader.at + length };
}

function decode<R>(bytes: Buffer, field: Field, read: (reader: ProtobufReader, end: number) => R): R {
  try {
    return read(new ProtobufReader(bytes, field.start), field.end);
  } catch (error) {
    throw notAList(error);
  }
}

const notAList = (cause?: unknown): TransportError =>
  new TransportError('KUBE_RESPONSE', 'not a list of metadata in protobuf', { cause });
