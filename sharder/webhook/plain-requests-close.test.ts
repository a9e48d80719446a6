import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { timeouts } from './limits.ts';
import { allowed, byReads, plain, serve } from './plain-requests-fixture.ts';

test('closing waits for the rest of a request, and ends idle connections', { timeout: 5_000 }, async (t) => {
  const { client, server } = await serve(t);
  const [idle, busy] = [await client(), await client()];
  await idle.send(plain('u'));
  await idle.answers(1);
  const request = plain('u');
  await busy.send(request.slice(0, -1));
  const closed = server.close();
  await once(idle.socket, 'end');
  await busy.send(request.slice(-1));
  assert.deepEqual(await busy.answers(1), [allowed('u')]);
  assert.match(busy.received, /\r\nConnection: close\r\n/);
  await closed;
});

test('closing waits for no client that keeps its side open', { timeout: 5_000 }, async (t) => {
  const { reads, decide } = byReads();
  const { client, server } = await serve(t, decide);
  const [idle, busy] = [await client(true), await client(true)];
  await idle.send(plain('a'));
  reads[0]?.();
  await idle.answers(1);
  await busy.send(plain('b'));
  const closed = server.close();
  reads[1]?.();
  await closed;
  assert.deepEqual(await busy.answers(1), [allowed('b')]);
});

test('closing waits no longer for the rest of a request than it may take', { timeout: 5_000 }, async (t) => {
  const { client, clock, server } = await serve(t);
  const sender = await client();
  await sender.send(plain('u').slice(0, -1));
  const closed = server.close();
  await clock.advance(timeouts.requestTimeout);
  await closed;
});
