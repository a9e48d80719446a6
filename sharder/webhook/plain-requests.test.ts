import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { timeouts } from './limits.ts';
import { PlainRequests } from './plain-requests.ts';
import { allowed, byReads, path, plain, review, serve, turns } from './plain-requests-fixture.ts';

/** Node's server says for how long it keeps a connection. */
const byNode = /keep-alive: timeout/i;

test('plain requests are answered one after the other, on one connection', async (t) => {
  const { client, clock } = await serve(t);
  const sender = await client();
  for (let uid = 0; uid < 50; uid += 1) {
    await sender.send(plain(`${uid}`));
    await sender.answers(uid + 1);
  }
  assert.doesNotMatch(sender.received, byNode);
  const [first] = sender.received.split('HTTP/1.1', 2).slice(1);
  assert.equal(
    first,
    ` 200 OK\r\nDate: ${clock.now().toUTCString()}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${allowed('0').length}\r\n\r\n${allowed('0')}`,
  );
  const uids = Array.from({ length: 50 }, (_, uid) => `${uid}`);
  assert.deepEqual(await sender.answers(50), uids.map(allowed));
});

test('a request is answered wherever it is cut', async (t) => {
  const { client } = await serve(t);
  const request = plain('u');
  for (let at = 1; at < request.length; at += 5) {
    const sender = await client();
    await sender.send(request.slice(0, at), request.slice(at));
    assert.deepEqual(await sender.answers(1), [allowed('u')], `cut at ${at}`);
    await sender.send(plain('v'));
    assert.deepEqual(await sender.answers(2), [allowed('u'), allowed('v')], `after the one cut at ${at}`);
    sender.socket.destroy();
  }
});

test('a large request is answered, in the plain way', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  await sender.send(plain('u', {}, 'x'.repeat(3 * 1024 * 1024)));
  assert.deepEqual(await sender.answers(1), [allowed('u')]);
  assert.doesNotMatch(sender.received, byNode);
});

const chunked = (uid: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: sharder\r\nTransfer-Encoding: chunked\r\n\r\n` +
  `${review(uid).length.toString(16)}\r\n${review(uid)}\r\n0\r\n\r\n`;

test('one of another form is answered, too, and so are all after it', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  await sender.send(plain('a'), chunked('b'), plain('c'), chunked('d'));
  assert.deepEqual(await sender.answers(4), ['a', 'b', 'c', 'd'].map(allowed));
  assert.match(sender.received, byNode);
});

test('several requests at once are answered in their order', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  await sender.send(plain('a') + plain('b') + chunked('c') + plain('d'));
  assert.deepEqual(await sender.answers(4), ['a', 'b', 'c', 'd'].map(allowed));
});

test('a request waits until the one before it is decided', async (t) => {
  const { reads, decide } = byReads();
  const { client } = await serve(t, decide);
  const sender = await client();
  await sender.send(plain('a'), plain('b'));
  assert.equal(reads.length, 1);
  reads[0]?.();
  assert.deepEqual(await sender.answers(1), [allowed('a')]);
  while (reads.length < 2) await turns(1);
  reads[1]?.();
  assert.deepEqual(await sender.answers(2), [allowed('a'), allowed('b')]);
});

test('who wants to be told to go on is told so', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  const request = plain('u', { Expect: '100-continue' });
  const head = request.slice(0, -review('u').length);
  await sender.send(head);
  while (!sender.received.includes('100 Continue')) await once(sender.socket, 'data');
  await sender.send(review('u'));
  assert.deepEqual(await sender.answers(1), [allowed('u')]);
});

test('a request that comes slowly is left to those who end slow ones, and answered if it comes', async (t) => {
  const { client, clock } = await serve(t);
  const sender = await client();
  const [slow, late] = [plain('a'), plain('b')];
  await sender.send(slow.slice(0, -1));
  await clock.advance(timeouts.requestTimeout - 1);
  await sender.send(slow.slice(-1), late.slice(0, -1));
  // The first one was in time, the second one isn't.
  await clock.advance(1);
  await clock.advance(timeouts.requestTimeout - 2);
  assert.equal(clock.pending, 1);
  await clock.advance(1);
  assert.equal(clock.pending, 0);
  assert.doesNotMatch(sender.received, byNode);
  await sender.send(late.slice(-1));
  assert.deepEqual(await sender.answers(2), ['a', 'b'].map(allowed));
  assert.match(sender.received, byNode);
});

test('with `Connection: close` the connection ends with the answer', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  const ended = once(sender.socket, 'end');
  await sender.send(plain('u', { Connection: 'close' }));
  await ended;
  assert.deepEqual(await sender.answers(1), [allowed('u')]);
});

test('what is no HTTP is refused', async (t) => {
  const { client } = await serve(t);
  for (const bytes of [
    'nonsense\r\n\r\n',
    plain('u').replace('Host: sharder\r\n', ''),
    plain('u', { 'Content-Length': '-1' }),
    plain('u', { 'content-length': '1' }),
    plain('u', { 'Transfer-Encoding': 'chunked' }),
    Buffer.from([0, 1, 2, 3, 13, 10, 13, 10]),
  ]) {
    const sender = await client();
    const ended = once(sender.socket, 'end');
    await sender.send(bytes);
    await ended;
    assert.match(sender.received, /^HTTP\/1\.1 400 Bad Request\r\n/);
  }
});

test('a client that goes away in the middle of its request leaves nothing behind', {
  timeout: 5_000,
}, async (t) => {
  const { client, clock } = await serve(t);
  const sender = await client();
  await sender.send(plain('u').slice(0, -1));
  assert.equal(clock.pending, 1);
  sender.socket.destroy();
  while (clock.pending > 0) await turns(1);
});

test('a client that ends its side with its request is answered', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  const closed = once(sender.socket, 'close');
  sender.socket.end(plain('u'));
  await closed;
  assert.deepEqual(await sender.answers(1), [allowed('u')]);
});

test('a client that ends its connection is let go', async (t) => {
  const { client } = await serve(t);
  const sender = await client();
  await sender.send(plain('u'));
  await sender.answers(1);
  const closed = once(sender.socket, 'close');
  sender.socket.end();
  await closed;
});

/** What is written stays unread until `read`. */
class UnreadConnection extends Duplex {
  timeout = 0;
  readonly unread: (() => void)[] = [];

  constructor() {
    super({ writableHighWaterMark: 1 });
  }

  setTimeout(ms: number): void {
    this.timeout = ms;
  }

  destroySoon(): void {
    this.end();
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.unread.push(done);
  }
}

test('a client that reads no answers is not read from', async () => {
  const connection = new UnreadConnection();
  let answered = 0;
  const requests = new PlainRequests(connection, {
    clock: new FakeClock(),
    ringOf: () => 'ring',
    closing: () => false,
    toHttp: () => assert.fail('plain requests only'),
    answer(_ring, _body, send) {
      answered += 1;
      send({ status: 200, body: '{}' });
    },
  });
  for (let sent = 0; sent < 3; sent += 1) {
    connection.push(plain('u'));
    await turns(2);
  }
  assert.equal(answered, 1);
  connection.unread.shift()?.();
  await turns(2);
  assert.equal(answered, 2);
  requests.close();
  assert.equal(connection.writableEnded, true);
});
