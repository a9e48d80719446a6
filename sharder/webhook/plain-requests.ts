import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Answer } from './answer-review.ts';
import { mostBytes, timeouts } from './limits.ts';
import { type PlainHead, plainHead } from './plain-head.ts';

export interface PlainOptions {
  clock: Clock;
  /** Answers a request to that ring's webhook, once. */
  answer(ring: string, body: Buffer, send: (answer: Answer) => void): void;
  /** Undefined: that isn't one of the webhooks. */
  ringOf(url: string): string | undefined;
  /** Whether connections are to end with the answer under way. */
  closing(): boolean;
  /** Serves the connection from now on, of which nothing was read yet. */
  toHttp(): void;
}

/** What is needed of a TLS connection. */
export type Connection = Duplex & {
  timeout?: number | undefined;
  setTimeout(ms: number): unknown;
  /** When what was written has been sent. */
  destroySoon(): void;
};

/**
 * The requests of one connection, as long as they have the form in which the API server sends them. With the first one
 * that has any other, or that comes slowly, the connection goes to Node's HTTP server for good, and that request with it:
 * it knows all forms, and takes twice the time for each (docs/decisions/0009-plain-requests.md).
 */
export class PlainRequests {
  readonly #socket: Connection;
  readonly #options: PlainOptions;
  /** What was read of a request. */
  #parts: Buffer[] = [];
  #bytes = 0;
  #head: PlainHead | undefined;
  #answering = false;
  /** When its first bytes came. */
  #began = 0;
  #cancelLook: (() => void) | undefined;

  constructor(socket: Connection, options: PlainOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('data', this.#read);
    socket.on('error', this.#fail);
    socket.on('timeout', this.#fail);
    socket.once('close', () => this.#cancelLook?.());
    socket.setTimeout(timeouts.headersTimeout);
  }

  /** Ends the connection, once the request under way is answered. Who doesn't end its own side isn't waited for. */
  close(): void {
    if (!this.#answering && this.#parts.length === 0) this.#socket.destroySoon();
  }

  readonly #read = (chunk: Buffer): void => {
    if (this.#parts.length === 0) this.#began = this.#options.clock.monotonic();
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    this.#head ??= plainHead(chunk);
    const head = this.#head;
    const ring = head && this.#options.ringOf(head.url);
    if (head === undefined || ring === undefined || head.bodyBytes > mostBytes) return this.#handOver();
    const left = head.headBytes + head.bodyBytes - this.#bytes;
    if (left < 0) this.#handOver();
    else if (left > 0) this.#waitForRest();
    else this.#answer(ring, head.headBytes);
  };

  /** A timer for each request would cost more than to look now and then. */
  #waitForRest(): void {
    const { clock } = this.#options;
    const leftMs = this.#began + timeouts.requestTimeout - clock.monotonic();
    this.#cancelLook ??= clock.after(leftMs, () => {
      this.#cancelLook = undefined;
      if (this.#parts.length === 0) return;
      if (clock.monotonic() - this.#began < timeouts.requestTimeout) this.#waitForRest();
      // Node's server looks for slow requests no more once it is closed.
      else if (this.#options.closing()) this.#fail();
      else this.#handOver();
    });
  }

  #answer(ring: string, headBytes: number): void {
    const request = this.#whole();
    [this.#parts, this.#bytes, this.#head] = [[], 0, undefined];
    this.#answering = true;
    this.#options.answer(ring, request.subarray(headBytes), (answer) => {
      this.#answering = false;
      this.#send(answer);
    });
    // The next one has to wait for its turn.
    if (this.#answering) this.#socket.pause();
  }

  #send({ status, body }: Answer): void {
    const socket = this.#socket;
    const last = this.#options.closing();
    const written = socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        `Date: ${this.#options.clock.now().toUTCString()}\r\n` +
        'Content-Type: application/json\r\n' +
        `Content-Length: ${Buffer.byteLength(body)}\r\n${last ? 'Connection: close\r\n' : ''}\r\n${body}`,
    );
    if (last) socket.destroySoon();
    else if (written) socket.resume();
    else socket.pause().once('drain', () => socket.resume());
    if (socket.timeout !== timeouts.keepAliveTimeout) socket.setTimeout(timeouts.keepAliveTimeout);
  }

  readonly #handOver = (): void => {
    const socket = this.#socket;
    this.#cancelLook?.();
    socket.off('data', this.#read).off('error', this.#fail).off('timeout', this.#fail);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(this.#whole());
    this.#parts = [];
    this.#options.toHttp();
    socket.resume();
  };

  #whole(): Buffer {
    const [first] = this.#parts;
    return this.#parts.length === 1 && first ? first : Buffer.concat(this.#parts);
  }

  readonly #fail = (): void => {
    this.#socket.destroy();
  };
}
