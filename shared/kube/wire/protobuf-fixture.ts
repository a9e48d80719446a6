/** For tests: writes protobuf as the API server does. */

export const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];

export const field = (number: number, bytes: readonly number[]): number[] => [
  ...varint(number * 8 + 2),
  ...varint(bytes.length),
  ...bytes,
];

export const text = (number: number, value: string): number[] => field(number, [...Buffer.from(value)]);

/** A document of Kubernetes: an object in runtime.Unknown. */
export const envelope = (kind: string, object: readonly number[]): number[] => [
  ...Buffer.from('k8s\0'),
  ...field(1, [...text(1, 'meta.k8s.io/v1'), ...text(2, kind)]),
  ...field(2, object),
  ...text(3, ''),
  ...text(4, ''),
];

/** A frame of a watch: its length, and a WatchEvent with an object. */
export function frame(type: string, kind: string, object: readonly number[]): number[] {
  const event = [...text(1, type), ...field(2, field(1, envelope(kind, object)))];
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return [...length, ...event];
}
