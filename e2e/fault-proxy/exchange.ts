import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import { yieldToEventLoop } from '@controller-sharding/shared/runtime/event-loop.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ArmedFault, Fault, Place } from './fault.ts';
import { PlaceFinder } from './place-finder.ts';

const slowPieceMs = 20;
/** Each piece takes a turn of the event loop: a long answer in pieces of a byte would take minutes. */
const splitBytes = 3_000;
/** They belong to one connection; each end of the proxy has its own. Only uncompressed text has lines. */
const ownHeaders = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'authorization',
  'accept-encoding',
  'host',
];

export interface ExchangeParts {
  message: IncomingMessage;
  response: ServerResponse;
  connection: ClientConnection;
  upstream: { url: string; agent: Agent };
  /** Path and query to ask the API server for. */
  path: string;
  armed: ArmedFault | undefined;
  onForward: () => void;
}

/** One request on its way to the API server, and the answer on its way back. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #gone = new AbortController();
  #passedBytes = 0;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    parts.response.once('close', () => this.#gone.abort());
  }

  /** Resolves when nothing more is to be done; the client's connection may stay open. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch {
      // The API server's end broke, or the client's has: the client sees what it would see without a proxy.
      this.#parts.connection.reset();
    }
  }

  async #run(): Promise<void> {
    const { message, response, armed } = this.#parts;
    const fault = armed?.fault;
    const place = fault && 'at' in fault ? fault.at : undefined;
    if (fault?.kind === 'answer' || place === 'request') message.resume();
    if (fault?.kind === 'answer') {
      armed?.act();
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    if (place === 'request') return this.#act();
    const answer = await this.#forward();
    if (place === 'answer') {
      answer.destroy();
      return this.#act();
    }
    response.writeHead(answer.statusCode ?? 502, withoutOwn(answer.headers));
    response.flushHeaders();
    if (await this.#relay(answer, place)) response.end();
  }

  async #forward(): Promise<IncomingMessage> {
    const { message, upstream, path, onForward } = this.#parts;
    const length = message.headers['content-length'];
    const outgoing = httpsRequest(new URL(path, upstream.url), {
      method: message.method,
      agent: upstream.agent,
      headers: { ...withoutOwn(message.headers), ...(length !== undefined && { 'content-length': length }) },
      signal: this.#gone.signal,
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve).on('error', reject);
    });
    onForward();
    message.pipe(outgoing);
    return answered;
  }

  /** Whether the answer is to end in good order. */
  async #relay(answer: IncomingMessage, place: Place | undefined): Promise<boolean> {
    const fault = this.#parts.armed?.fault;
    let finder =
      place === undefined || place === 'request' || place === 'answer' ? undefined : new PlaceFinder(place);
    if (finder?.here) {
      finder = undefined;
      if (!(await this.#goesOn(answer))) return false;
    }
    const chunks: AsyncIterable<Buffer> = answer;
    for await (const chunk of chunks) {
      const before = finder?.find(chunk);
      if (before === undefined) {
        await this.#write(chunk, fault);
        continue;
      }
      finder = undefined;
      await this.#write(chunk.subarray(0, before), fault);
      if (!(await this.#goesOn(answer))) return false;
      await this.#write(chunk.subarray(before), fault);
    }
    return true;
  }

  /** The place of the fault is reached. */
  async #goesOn(answer: IncomingMessage): Promise<boolean> {
    const { armed } = this.#parts;
    if (armed?.fault.kind === 'insert') {
      armed.act();
      await this.#send(armed.fault.text);
      return true;
    }
    answer.destroy();
    await yieldToEventLoop(); // what was passed on is on its way before the connection ends
    this.#act();
    return false;
  }

  /** Breaks the exchange off where it is. */
  #act(): void {
    const { armed, response, connection } = this.#parts;
    armed?.act();
    if (armed?.fault.kind === 'reset') connection.reset();
    if (armed?.fault.kind !== 'end') return;
    if (response.headersSent) response.end();
    else connection.end();
  }

  async #write(chunk: Buffer, fault: Fault | undefined): Promise<void> {
    if (chunk.length === 0) return;
    if (fault?.kind !== 'slow' && fault?.kind !== 'split') return this.#send(chunk);
    if (this.#passedBytes === 0) this.#parts.armed?.act();
    const slow = fault.kind === 'slow';
    const size = slow
      ? Math.max(1, Math.round((fault.bytesPerSecond * slowPieceMs) / 1000))
      : fault.pieceBytes;
    const cut = slow ? chunk.length : Math.min(chunk.length, splitBytes - this.#passedBytes);
    for (let start = 0; start < cut; start += size) {
      await this.#send(chunk.subarray(start, Math.min(start + size, cut)));
      if (slow) await systemClock.sleep(slowPieceMs, this.#gone.signal);
      else await yieldToEventLoop();
    }
    this.#passedBytes += cut;
    if (cut < chunk.length) await this.#send(chunk.subarray(cut));
  }

  async #send(data: Buffer | string): Promise<void> {
    this.#gone.signal.throwIfAborted();
    if (!this.#parts.response.write(data)) {
      await once(this.#parts.response, 'drain', { signal: this.#gone.signal });
    }
  }
}

function withoutOwn(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.includes(name)));
}
