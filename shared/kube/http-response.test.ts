import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Dispatcher } from 'undici';
import { type HttpResponse, sendRequest } from './http-response.ts';

/** A server's side of one answer, as undici tells of it. */
class Answer extends Dispatcher implements Dispatcher.DispatchController {
  paused = false;
  aborted = false;
  reason: Error | null = null;
  #handler: Dispatcher.DispatchHandler = {};

  override dispatch(_options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#handler = handler;
    return true;
  }

  start(): void {
    this.#handler.onRequestStart?.(this, {});
  }

  begin(): void {
    this.start();
    this.#handler.onResponseStart?.(this, 200, { 'content-type': 'text/plain' });
  }

  send(...chunks: Buffer[]): void {
    for (const chunk of chunks) this.#handler.onResponseData?.(this, chunk);
  }

  end(): void {
    this.#handler.onResponseEnd?.(this, {});
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
    this.#handler.onResponseError?.(this, reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

async function begun(): Promise<{ answer: Answer; response: HttpResponse }> {
  const answer = new Answer();
  const response = sendRequest(answer, { path: '/', method: 'GET' }, new AbortController().signal);
  answer.begin();
  return { answer, response: await response };
}

test('an answer is read as a whole', async () => {
  const { answer, response } = await begun();
  const bytes = response.bytes();
  answer.send(Buffer.from('o'), Buffer.from('ne'));
  answer.end();
  assert.equal((await bytes).toString(), 'one');
  assert.deepEqual([response.status, response.contentType], [200, 'text/plain']);
});

test('small packets come in large pieces, complete and in order', async () => {
  const { answer, response } = await begun();
  const packets = Array.from({ length: 1_000 }, (_, index) => Buffer.alloc(500, index % 256));
  answer.send(...packets.slice(0, 100));
  const sending = (async () => {
    for (let at = 100; at < packets.length; at += 20) {
      await turn();
      answer.send(...packets.slice(at, at + 20));
    }
    answer.end();
  })();
  const pieces: Buffer[] = [];
  for await (const piece of response.pieces()) pieces.push(Buffer.from(piece));
  await sending;
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(packets)));
  assert.ok(pieces.length < 40, String(pieces.length));
  assert.equal(answer.aborted, false);
});

test('reading pauses when the consumer takes its time, and goes on with it', async () => {
  const { answer, response } = await begun();
  const pieces = response.pieces();
  answer.send(Buffer.alloc(100));
  await pieces.next();
  answer.send(Buffer.alloc(300_000));
  assert.equal(answer.paused, false);
  answer.send(Buffer.alloc(100_000));
  assert.equal(answer.paused, true);
  assert.equal((await pieces.next()).value?.length, 400_000);
  const next = pieces.next();
  await turn();
  assert.equal(answer.paused, false);
  answer.end();
  assert.equal((await next).done, true);
});

test('what came before an error is given first', async () => {
  const { answer, response } = await begun();
  const pieces = response.pieces();
  answer.send(Buffer.from('one'));
  answer.abort(new Error('broken'));
  assert.equal(Buffer.from((await pieces.next()).value ?? []).toString(), 'one');
  await assert.rejects(pieces.next(), { message: 'broken' });
});

test('a consumer that stops ends the answer', async () => {
  const { answer, response } = await begun();
  const pieces = response.pieces();
  answer.send(Buffer.from('one'));
  await pieces.next();
  await pieces.return();
  assert.equal(answer.reason?.message, 'the answer is no longer read');
});

test('a request that is aborted before it could be sent fails at once, and is not sent later', async () => {
  const abort = new AbortController();
  const answer = new Answer();
  const response = sendRequest(answer, { path: '/', method: 'GET' }, abort.signal);
  const reason = new Error('enough');
  abort.abort(reason);
  await assert.rejects(response, reason);
  answer.start();
  assert.equal(answer.reason, reason);
});

test('an answer that is aborted while it is read throws the reason', async () => {
  const abort = new AbortController();
  const answer = new Answer();
  const sent = sendRequest(answer, { path: '/', method: 'GET' }, abort.signal);
  answer.begin();
  const bytes = (await sent).bytes();
  const reason = new Error('enough');
  abort.abort(reason);
  await assert.rejects(bytes, reason);
  assert.equal(answer.aborted, true);
});
