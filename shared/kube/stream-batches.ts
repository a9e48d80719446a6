import { finished, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { yieldToEventLoop } from '../runtime/event-loop.ts';
import { ByteWindow } from './wire/byte-window.ts';

/** More than this isn't read ahead of the consumer, so that a piece is decoded in a few ms. */
const readAheadBytes = 384 << 10;
/** A piece of less, soon after the last one, waits for more. */
const worthwhileBytes = 32 << 10;
const gatherMs = 1;

/**
 * What a stream brings, in large pieces, and a turn of the event loop between them. An API server writes a watch in
 * packets of 2 to 4 KB: to wake up for each, or to keep each until it is needed, costs more than to read what is in it.
 * So while much comes, the stream is paused for 1 ms at a time, in which the system gathers it. A piece is valid until
 * the next one is asked for. Throws the stream's error; a consumer that stops destroys the stream.
 */
export async function* batchesOf(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  const window = new ByteWindow();
  let wake = (): void => {};
  let ended = false;
  let failure: Error | null | undefined;
  finished(stream, { writable: false }, (error) => {
    ended = true;
    failure = error;
    wake();
  });
  const onData = (chunk: Buffer): void => {
    window.append(chunk);
    if (window.length > readAheadBytes) stream.pause();
    wake();
  };
  stream.on('data', onData);
  let givenAt = Number.NEGATIVE_INFINITY;
  try {
    for (;;) {
      if (window.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      await yieldToEventLoop(); // more of it comes in the same turn
      if (!ended && window.length < worthwhileBytes && performance.now() - givenAt < 2 * gatherMs) {
        stream.pause();
        await sleep(gatherMs);
      }
      const { unread } = window;
      if (unread.length > 0) {
        yield unread;
        givenAt = performance.now();
        window.consume(unread.length);
        stream.resume();
      } else if (ended) {
        if (failure) throw failure;
        return;
      }
    }
  } finally {
    stream.off('data', onData);
    window.close();
    if (!ended) stream.destroy();
  }
}
