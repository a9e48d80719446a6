import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { answerJson, type ReceivedRequest, startTestServer, type TestServer, until } from './test-server.ts';
import { Transport } from './transport.ts';

const get = { method: 'GET', path: '/api/v1/pods' } as const;
const post = { method: 'POST', path: '/api/v1/namespaces/default/pods', body: '{"kind":"Pod"}' } as const;

/** An answer of that status that asks to come again after so many seconds. */
function askToWait(response: ServerResponse, status: number, seconds: number): void {
  response.setHeader('retry-after', String(seconds));
  answerJson(response, { kind: 'Status', code: status, reason: 'TooManyRequests', message: 'later' }, status);
}

interface Setting {
  server: TestServer;
  clock: FakeClock;
  transport: Transport;
  /** What the metrics were told. */
  told: unknown[][];
}

async function setUp(
  t: TestContext,
  handler: (request: ReceivedRequest, response: ServerResponse) => void,
  options: { maxConnections?: number } = {},
): Promise<Setting> {
  const server = await startTestServer(t, handler);
  const clock = new FakeClock();
  const told: unknown[][] = [];
  const transport = new Transport(server.kubeConfig, {
    ...options,
    clock,
    metrics: {
      onRequest: (...args) => told.push(['request', ...args]),
      onRetry: (...args) => told.push(['retry', ...args]),
    },
  });
  t.after(() => transport.close());
  return { server, clock, transport, told };
}

test('a write that is turned away is sent again, whole, when the server wants it', async (t) => {
  let refusals = 2;
  const { server, clock, transport, told } = await setUp(t, (_, response) => {
    if (refusals > 0) askToWait(response, 429, 1);
    else answerJson(response, {}, 201);
    refusals -= 1;
  });
  const done = transport.request({ ...post, timeoutMs: 4_000 });
  await until(() => told.length === 1);
  await clock.advance(999);
  assert.equal(server.received.length, 1);
  await clock.advance(1);
  await until(() => told.length === 2);
  await clock.advance(1_000);
  assert.equal((await done).status, 201);
  assert.deepEqual(
    server.received.map(({ body, query }) => [body, query.get('timeout')]),
    [
      [post.body, '4000ms'],
      [post.body, '3000ms'],
      [post.body, '2000ms'],
    ],
  );
  assert.deepEqual(told, [
    ['retry', 'POST', 429],
    ['retry', 'POST', 429],
    ['request', 'POST', 201, 2_000],
  ]);
});

test('what cannot be sent again before the deadline fails at once, with the answer', async (t) => {
  const { server, transport } = await setUp(t, (_, response) => askToWait(response, 429, 4));
  await assert.rejects(transport.request({ ...post, timeoutMs: 4_000 }), {
    status: 429,
    retryAfterMs: 4_000,
  });
  assert.equal(server.received.length, 1);
});

test('while a request waits to be sent again, its abort and its deadline count', async (t) => {
  const { server, clock, transport, told } = await setUp(t, ({ query }, response) => {
    if (query.get('name') === 'silent' && server.received.length > 1) return;
    askToWait(response, 503, 2);
  });
  const controller = new AbortController();
  const aborted = transport.request({ ...post, signal: controller.signal });
  await until(() => told.length === 1);
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, { message: 'enough' });
  assert.equal(clock.pending, 0);
  server.received.length = 0;
  const late = transport.request({ ...post, query: { name: 'silent' }, timeoutMs: 3_000 });
  const failed = assert.rejects(late, { code: 'KUBE_TIMEOUT', nothingSent: false });
  await until(() => told.length === 3);
  await clock.advance(2_000);
  await until(() => server.received.length === 2);
  await clock.advance(1_000);
  await failed;
});

test('a request that waits to be sent again keeps its slot from the others', async (t) => {
  let busy = true;
  const { server, clock, transport, told } = await setUp(
    t,
    (_, response) => (busy ? askToWait(response, 429, 1) : answerJson(response, {})),
    { maxConnections: 1 },
  );
  const both = Promise.all([transport.request(get), transport.request(get)]);
  await until(() => told.length === 1);
  await clock.advance(500);
  assert.equal(server.received.length, 1);
  busy = false;
  await clock.advance(500);
  await both;
  assert.equal(server.received.length, 3);
});

test('a server that asks to wait without end gets eleven requests at most', async (t) => {
  const { server, clock, transport, told } = await setUp(t, (_, response) => askToWait(response, 429, 1));
  const failed = assert.rejects(transport.request({ ...get, timeoutMs: 60_000 }), { status: 429 });
  for (let retry = 1; retry <= 10; retry += 1) {
    await until(() => told.length === retry);
    await clock.advance(1_000);
  }
  await failed;
  assert.equal(server.received.length, 11);
});
