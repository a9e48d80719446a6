import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { yieldToEventLoop } from '../runtime/event-loop.ts';
import { ByteWindow } from './wire/byte-window.ts';

/** More than this isn't read ahead of who reads in pieces, so that a piece is decoded in a few ms. */
const readAheadBytes = 384 << 10;
/** A piece of less, soon after the last one, waits for more. */
const worthwhileBytes = 96 << 10;
/** Real time, whatever clock is injected elsewhere: packets arrive in it, and nothing is decided by it. */
const gatherMs = 4;

/** Sends a request; resolves with the head of its answer. `signal` ends it, the answer's body included. */
export function sendRequest(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const response = new HttpResponse(signal);
  dispatcher.dispatch(options, response);
  return response.head;
}

/**
 * An answer that is read while it comes, or as a whole, once. It takes what undici reads as it is: as a stream, each of
 * the packets of 2 to 4 KB in which an API server writes a watch would cost as much as to parse what is in it.
 */
export class HttpResponse implements Dispatcher.DispatchHandler {
  status = 0;
  headers: Record<string, string | string[] | undefined> = {};
  readonly #head = Promise.withResolvers<this>();
  readonly #signal: AbortSignal;
  #controller: Dispatcher.DispatchController | undefined;
  /** What has come and nobody has asked for. */
  #chunks: Buffer[] = [];
  /** Of who reads in pieces. */
  #window: ByteWindow | undefined;
  #ended = false;
  #failure: Error | undefined;
  #wake = (): void => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  /** Resolves when the head of the answer is there. */
  get head(): Promise<this> {
    return this.#head.promise;
  }

  get contentType(): string {
    const { 'content-type': type } = this.headers;
    return typeof type === 'string' ? type : '';
  }

  /** The whole body. */
  async bytes(): Promise<Buffer> {
    while (!this.#ended) await this.#news();
    if (this.#failure) throw this.#failure;
    return Buffer.concat(this.#chunks);
  }

  /**
   * The body in large pieces, and a turn of the event loop between them: while much comes, reading pauses for 4 ms at a
   * time, in which the system gathers it. A piece is valid until the next one is asked for. A consumer that stops ends
   * the answer.
   */
  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    const window = new ByteWindow();
    for (const chunk of this.#chunks) window.append(chunk);
    this.#chunks = [];
    this.#window = window;
    let givenAt = Number.NEGATIVE_INFINITY;
    try {
      for (;;) {
        if (window.length === 0 && !this.#ended) await this.#news();
        await yieldToEventLoop(); // more of it comes in the same turn
        if (!this.#ended && window.length < worthwhileBytes && performance.now() - givenAt < 2 * gatherMs) {
          this.#controller?.pause();
          await sleep(gatherMs);
        }
        const { unread } = window;
        if (unread.length > 0) {
          yield unread;
          givenAt = performance.now();
          window.consume(unread.length);
        } else if (this.#ended) {
          if (this.#failure) throw this.#failure;
          return;
        }
        this.#controller?.resume();
      }
    } finally {
      this.#window = undefined;
      window.close();
      this.abort();
    }
  }

  /** Closes the connection, unless the answer has ended. */
  abort(reason: unknown = new Error('the answer is no longer read')): void {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    if (!this.#ended) this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) this.abort(this.#signal.reason);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // the answer proper is still to come
    this.status = status;
    this.headers = headers;
    this.#head.resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#window) {
      this.#window.append(chunk);
      if (this.#window.length > readAheadBytes) controller.pause();
    } else {
      this.#chunks.push(chunk);
    }
    this.#wake();
  }

  onResponseEnd(): void {
    this.#end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(error);
    this.#head.reject(error);
  }

  #end(failure: Error | undefined): void {
    this.#ended = true;
    this.#failure = failure;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#wake();
  }

  /** Resolves when something has come, or it has ended. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #onAbort = (): void => {
    this.#head.reject(this.#signal.reason);
    this.abort(this.#signal.reason);
  };
}
