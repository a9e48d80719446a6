import { JsonListDecoder } from './json-list-decoder.ts';
import { protobufMediaType } from './metadata-protobuf.ts';
import { ProtobufListDecoder } from './protobuf-list-decoder.ts';

export interface ListEnd<T> {
  /** The items that were left. */
  items: T[];
  resourceVersion: string;
  /** Token for the next page; undefined on the last. */
  continue: string | undefined;
}

/** Cuts the items out of a list's bytes, which may be given in any pieces. Throws TransportError KUBE_RESPONSE. */
export interface ListDecoder<T> {
  /** The items that end in this piece; each is decoded when it is asked for, and all must be asked for. */
  items(piece: Uint8Array): Generator<T, void, undefined>;
  /** No piece is to come. Throws when it is not the whole list. */
  end(): ListEnd<T>;
  /** In the end, or instead of it. */
  close(): void;
}

export const listDecoder = <T>(contentType: string): ListDecoder<T> =>
  contentType.startsWith(protobufMediaType) ? new ProtobufListDecoder<T>() : new JsonListDecoder<T>();
