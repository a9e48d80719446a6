/**
 * Kubernetes' protobuf form of metadata-only objects and of Status: k8s.io/apimachinery, pkg/apis/meta/v1/generated.proto
 * and pkg/runtime/generated.proto. As in JSON, what is empty is left out; managedFields are passed over.
 */
import type { KubeObject, ObjectMeta, OwnerReference } from '../types.ts';
import { KnownStrings } from './known-strings.ts';
import { lengthTag, ProtobufReader, varintTag } from './protobuf-reader.ts';

export interface StatusDocument {
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number } | null;
}

/** Shared by all streams of the process: namespaces, kinds, and keys of labels and annotations. */
const known = new KnownStrings();

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

/** What each document begins with. */
export const magic = Buffer.from('k8s\0');

export const isProtobuf = (bytes: Buffer, start = 0): boolean =>
  bytes.length - start >= magic.length && bytes.readUInt32BE(start) === magic.readUInt32BE();

/** runtime.Unknown, around each document: its kind, and where its bytes are. */
export interface Envelope {
  kind: string;
  start: number;
  end: number;
}

/** Reads the envelope of the document that begins at the reader and ends at `end`. Throws RangeError for none. */
export function readEnvelope(bytes: Buffer, start: number, end: number): Envelope {
  if (!isProtobuf(bytes, start)) throw new RangeError('not a document of Kubernetes in protobuf');
  const reader = new ProtobufReader(bytes, start + magic.length);
  const envelope = { kind: '', start: end, end };
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(1)) {
      envelope.kind = readKind(reader);
    } else if (tag === lengthTag(2)) {
      envelope.end = reader.end();
      envelope.start = reader.at;
      reader.at = envelope.end;
    } else {
      reader.skip(tag);
    }
  }
  return envelope;
}

/** Of runtime.TypeMeta. */
function readKind(reader: ProtobufReader): string {
  const end = reader.end();
  let kind = '';
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(2)) kind = reader.knownString(known);
    else reader.skip(tag);
  }
  return kind;
}

/** A PartialObjectMetadata, up to `end`. It says no kind: its own would be PartialObjectMetadata. */
export function readPartialObject(reader: ProtobufReader, end: number): KubeObject {
  let metadata: ObjectMeta = { name: '' };
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(1)) metadata = readObjectMeta(reader);
    else reader.skip(tag);
  }
  return { apiVersion: '', kind: '', metadata };
}

function readObjectMeta(reader: ProtobufReader): ObjectMeta {
  const end = reader.end();
  const meta: ObjectMeta & { deletionGracePeriodSeconds?: number } = { name: '' };
  while (reader.at < end) {
    const tag = reader.varint();
    switch (tag) {
      case lengthTag(1):
        meta.name = reader.string();
        break;
      case lengthTag(2):
        setText(meta, 'generateName', reader.string());
        break;
      case lengthTag(3):
        setText(meta, 'namespace', reader.knownString(known));
        break;
      case lengthTag(5):
        setText(meta, 'uid', reader.string());
        break;
      case lengthTag(6):
        setText(meta, 'resourceVersion', reader.string());
        break;
      case varintTag(7): {
        const generation = reader.varint();
        if (generation !== 0) meta.generation = generation;
        break;
      }
      case lengthTag(8):
        setText(meta, 'creationTimestamp', readTime(reader));
        break;
      case lengthTag(9):
        setText(meta, 'deletionTimestamp', readTime(reader));
        break;
      case varintTag(10):
        meta.deletionGracePeriodSeconds = reader.varint();
        break;
      case lengthTag(11):
        readEntry(reader, (meta.labels ??= {}));
        break;
      case lengthTag(12):
        readEntry(reader, (meta.annotations ??= {}));
        break;
      case lengthTag(13):
        (meta.ownerReferences ??= []).push(readOwnerReference(reader));
        break;
      case lengthTag(14):
        (meta.finalizers ??= []).push(reader.string());
        break;
      default:
        reader.skip(tag);
    }
  }
  return meta;
}

type TextField =
  | 'generateName'
  | 'namespace'
  | 'uid'
  | 'resourceVersion'
  | 'creationTimestamp'
  | 'deletionTimestamp';

function setText(meta: ObjectMeta, field: TextField, text: string): void {
  if (text !== '') meta[field] = text;
}

/** Objects that are listed one after the other were often created in the same second. */
let latest = { seconds: 0, text: '' };

/** As JSON has it, in seconds; '' for none. */
function readTime(reader: ProtobufReader): string {
  const end = reader.end();
  let seconds = 0;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === varintTag(1)) seconds = reader.varint();
    else reader.skip(tag);
  }
  if (seconds === 0) return '';
  if (seconds !== latest.seconds)
    latest = { seconds, text: `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z` };
  return latest.text;
}

function readEntry(reader: ProtobufReader, entries: Record<string, string>): void {
  const end = reader.end();
  let key = '';
  let value = '';
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(1)) key = reader.knownString(known);
    else if (tag === lengthTag(2)) value = reader.string();
    else reader.skip(tag);
  }
  entries[key] = value;
}

function readOwnerReference(reader: ProtobufReader): OwnerReference {
  const end = reader.end();
  const owner: OwnerReference = { apiVersion: '', kind: '', name: '', uid: '' };
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(1)) owner.kind = reader.knownString(known);
    else if (tag === lengthTag(3)) owner.name = reader.string();
    else if (tag === lengthTag(4)) owner.uid = reader.string();
    else if (tag === lengthTag(5)) owner.apiVersion = reader.knownString(known);
    else if (tag === varintTag(6)) owner.controller = reader.varint() === 1;
    else if (tag === varintTag(7)) owner.blockOwnerDeletion = reader.varint() === 1;
    else reader.skip(tag);
  }
  return owner;
}

/** resourceVersion and continue of a ListMeta, up to `end`. */
export function readListMeta(
  reader: ProtobufReader,
  end: number,
): { resourceVersion: string; continue: string } {
  const meta = { resourceVersion: '', continue: '' };
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(2)) meta.resourceVersion = reader.string();
    else if (tag === lengthTag(3)) meta.continue = reader.string();
    else reader.skip(tag);
  }
  return meta;
}

/** A whole document; undefined if it is no Status. */
export function readStatusDocument(bytes: Buffer): StatusDocument | undefined {
  try {
    const { kind, start, end } = readEnvelope(bytes, 0, bytes.length);
    return kind === 'Status' ? readStatus(new ProtobufReader(bytes, start), end) : undefined;
  } catch {
    return undefined;
  }
}

/** A Status, up to `end`. */
export function readStatus(reader: ProtobufReader, end: number): StatusDocument {
  const status: StatusDocument = {};
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === lengthTag(3)) status.message = reader.string();
    else if (tag === lengthTag(4)) status.reason = reader.string();
    else if (tag === lengthTag(5)) status.details = readDetails(reader);
    else if (tag === varintTag(6)) status.code = reader.varint();
    else reader.skip(tag);
  }
  return status;
}

function readDetails(reader: ProtobufReader): { retryAfterSeconds?: number } {
  const end = reader.end();
  const details: { retryAfterSeconds?: number } = {};
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === varintTag(5)) details.retryAfterSeconds = reader.varint();
    else reader.skip(tag);
  }
  return details;
}
