import type { WatchEvent } from './api-client.ts';
import { errorOfStatus } from './api-status.ts';
import { TransportError } from './errors.ts';
import type { KubeObject } from './types.ts';

/** More than any object can be (the API server takes 3 MiB); a line beyond it is no watch event. */
const maxLineBytes = 64 << 20;
const newline = 0x0a;

/**
 * Lines of UTF-8 text, cut out of chunks that may end anywhere. A newline byte is never part of another character, and
 * JSON escapes it in strings.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      if (begun.length === 0) {
        yield chunk.toString('utf8', start, end);
      } else {
        begun.push(chunk.subarray(start, end));
        yield Buffer.concat(begun).toString('utf8');
        begun = [];
        begunBytes = 0;
      }
      start = end + 1;
    }
    if (start < chunk.length) {
      begun.push(chunk.subarray(start));
      begunBytes += chunk.length - start;
      if (begunBytes > maxLineBytes) throw new TransportError('KUBE_RESPONSE', 'a watch event is too large');
    }
  }
  if (begunBytes > 0) throw new TransportError('KUBE_RESPONSE', 'the watch ended in the middle of an event');
}

interface RawEvent<T> {
  type?: string;
  object?: T;
}

/** One line of a watch. Throws the ApiError of an ERROR event; objects are as they came. */
export function parseWatchEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: RawEvent<T> | null;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw new TransportError('KUBE_RESPONSE', `not a watch event: ${line.slice(0, 100)}`, { cause: error });
  }
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (event.object?.metadata) return { type: event.type, object: event.object };
      break;
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = event.object?.metadata ?? {};
      if (resourceVersion === undefined) break;
      return {
        type: 'BOOKMARK',
        resourceVersion,
        initialEventsEnd: annotations?.['k8s.io/initial-events-end'] === 'true',
      };
    }
    case 'ERROR':
      throw errorOfStatus(event.object);
  }
  throw new TransportError('KUBE_RESPONSE', `not a watch event: ${line.slice(0, 100)}`);
}
