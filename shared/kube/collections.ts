import type { Form, ListOptions, ListPage, WatchEvent, WatchOptions } from './api-client.ts';
import { ingestAs } from './ingest.ts';
import { PageSize } from './page-size.ts';
import { collectionPath } from './paths.ts';
import type { Query, Transport } from './transport.ts';
import type { KubeObject, Resource } from './types.ts';
import { WatchEvents } from './watch-events.ts';
import { watchEventOf } from './watch-stream.ts';
import { listDecoder } from './wire/list-decoder.ts';
import { protobufMediaType } from './wire/metadata-protobuf.ts';
import { type WatchDecoder, watchDecoder } from './wire/watch-decoder.ts';

/** Metadata in protobuf need half the CPU, and nobody reads managedFields; where it is not served, JSON comes. */
function accept(form: Form, kind: string): string {
  if (form === 'full') return 'application/json';
  return [protobufMediaType, 'application/json']
    .map((type) => `${type};as=${kind};g=meta.k8s.io;v=v1`)
    .join();
}

export interface PageOptions extends ListOptions {
  continueToken?: string | undefined;
}

/** One page, and how many bytes it took. It is decoded while it comes, object by object. */
export function readPage<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  form: Form,
  options: PageOptions & { limit: number },
): Promise<ListPage<T> & { bytes: number }> {
  const ingest = ingestAs<T>(resource);
  const { limit, continueToken, namespace, signal, timeoutMs, priority } = options;
  const request = {
    method: 'GET',
    path: collectionPath(resource, namespace),
    query: { ...selectors(options), limit, continue: continueToken },
    headers: { accept: accept(form, 'PartialObjectMetadataList') },
    signal,
    timeoutMs,
    priority,
  } as const;
  return transport.read(request, async ({ contentType, pieces }) => {
    const decoder = listDecoder<T>(contentType);
    const items: T[] = [];
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        bytes += piece.length;
        for (const item of decoder.items(piece)) items.push(ingest(item));
      }
      const end = decoder.end();
      for (const item of end.items) items.push(ingest(item));
      return { items, resourceVersion: end.resourceVersion, continue: end.continue, bytes };
    } finally {
      decoder.close();
    }
  });
}

/** All pages; without a limit given, their size follows that of the objects. */
export async function* readPages<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  form: Form,
  options: ListOptions,
): AsyncGenerator<ListPage<T>, void, undefined> {
  const size = new PageSize();
  let continueToken: string | undefined;
  do {
    const limit = options.limit ?? size.limit;
    const { bytes, ...page } = await readPage<T>(transport, resource, form, {
      ...options,
      limit,
      continueToken,
    });
    size.read(page.items.length, bytes);
    continueToken = page.continue;
    yield page;
  } while (continueToken !== undefined);
}

export function readWatch<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  form: Form,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  return new WatchEvents(watchPieces<T>(transport, resource, form, options));
}

/** The events of each piece that comes. */
async function* watchPieces<T extends KubeObject>(
  transport: Transport,
  resource: Resource,
  form: Form,
  options: WatchOptions,
): AsyncGenerator<Iterator<WatchEvent<T>>, void, undefined> {
  const { namespace, resourceVersion, sendInitialEvents, timeoutSeconds, signal, onOpen } = options;
  let contentType = '';
  const pieces = transport.stream({
    path: collectionPath(resource, namespace),
    query: {
      ...selectors(options),
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds,
      resourceVersion,
      ...(sendInitialEvents && { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }),
    },
    headers: { accept: accept(form, 'PartialObjectMetadata') },
    signal,
    onOpen: (type) => {
      contentType = type;
      onOpen?.();
    },
  });
  const ingest = ingestAs<T>(resource);
  let decoder: WatchDecoder<T> | undefined;
  try {
    for await (const piece of pieces) {
      decoder ??= watchDecoder<T>(contentType);
      yield watchEvents(decoder, piece, ingest);
    }
    decoder?.end();
  } finally {
    decoder?.close();
  }
}

function* watchEvents<T extends KubeObject>(
  decoder: WatchDecoder<T>,
  piece: Uint8Array,
  ingest: (object: T) => T,
): Generator<WatchEvent<T>, void, undefined> {
  for (const raw of decoder.events(piece)) {
    const event = watchEventOf<T>(raw);
    if (event.type !== 'BOOKMARK') event.object = ingest(event.object);
    yield event;
  }
}

function selectors({
  labelSelector,
  fieldSelector,
}: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>): Query {
  return { labelSelector: labelSelector || undefined, fieldSelector: fieldSelector || undefined };
}
