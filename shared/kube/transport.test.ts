import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { ApiError, isFateUnknown, TransportError } from './errors.ts';
import { answerJson, kubeConfigFor, startTestServer, until } from './test-server.ts';
import { Transport } from './transport.ts';

const get = { method: 'GET', path: '/api/v1/pods' } as const;

test('a hundred requests share one connection', async (t) => {
  const server = await startTestServer(t, (_, response) => answerJson(response, {}));
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  for (let i = 0; i < 100; i += 1) await transport.request(get);
  assert.equal(server.connections(), 1);
  assert.equal(transport.connectionsOpened, 1);
});

test('requests side by side open no more connections than there are slots', async (t) => {
  const server = await startTestServer(t, (_, response) => answerJson(response, {}));
  const transport = new Transport(server.kubeConfig, { maxConnections: 5 });
  t.after(() => transport.close());
  await Promise.all(Array.from({ length: 100 }, () => transport.request(get)));
  assert.equal(server.connections(), 5);
});

test('the deadline resets the connection, and the server was told it', async (t) => {
  const clock = new FakeClock();
  let closed = false;
  const server = await startTestServer(t, (_, response) => {
    response.on('close', () => {
      closed = true;
    });
  });
  const transport = new Transport(server.kubeConfig, { clock });
  t.after(() => transport.close());
  const failed = assert.rejects(transport.request({ ...get, timeoutMs: 4000 }), {
    code: 'KUBE_TIMEOUT',
    nothingSent: false,
    message: `no answer from the API server at ${server.url} within 4000 ms`,
  });
  await until(() => server.received.length === 1);
  assert.equal(server.received[0]?.query.get('timeout'), '4000ms');
  await clock.advance(3999);
  assert.equal(closed, false);
  await clock.advance(1);
  await failed;
  await until(() => closed);
  assert.equal(await server.open(), 0);
});

test('the default deadline is 10 s, and paths that do not know the parameter are spared it', async (t) => {
  const server = await startTestServer(t, (_, response) => answerJson(response, {}));
  const transport = new Transport(server.kubeConfig, { clock: new FakeClock() });
  t.after(() => transport.close());
  await transport.request(get);
  await transport.request({ ...get, noServerTimeout: true });
  assert.deepEqual(
    server.received.map(({ query }) => query.get('timeout')),
    ['10000ms', null],
  );
});

test('waiting for a slot counts, and what is left of the deadline is what the server is told', async (t) => {
  const clock = new FakeClock();
  const waiting: ServerResponse[] = [];
  const server = await startTestServer(t, (_, response) => waiting.push(response));
  const transport = new Transport(server.kubeConfig, { clock, maxConnections: 1 });
  t.after(() => transport.close());
  const first = transport.request({ ...get, timeoutMs: 60_000 });
  const second = transport.request({ ...get, timeoutMs: 4000 });
  const third = assert.rejects(transport.request({ ...get, timeoutMs: 1000 }), {
    code: 'KUBE_TIMEOUT',
    nothingSent: true,
  });
  await until(() => waiting.length === 1);
  await clock.advance(1500);
  await third;
  for (const [index, request] of [first, second].entries()) {
    await until(() => waiting.length === index + 1);
    const response = waiting[index];
    if (response) answerJson(response, {});
    await request;
  }
  assert.equal(server.received[1]?.query.get('timeout'), '2500ms');
});

test("the caller's abort throws the caller's reason, before and during the request", async (t) => {
  const server = await startTestServer(t, () => {});
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  const reason = new Error('enough');
  await assert.rejects(transport.request({ ...get, signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const failed = assert.rejects(transport.request({ ...get, signal: controller.signal }), reason);
  await until(() => server.received.length === 1);
  controller.abort(reason);
  await failed;
});

test('a Status becomes an ApiError, with the time after which to try again', async (t) => {
  const server = await startTestServer(t, (_, response) => {
    response.setHeader('retry-after', '3');
    answerJson(
      response,
      { kind: 'Status', code: 429, reason: 'TooManyRequests', message: 'later, please' },
      429,
    );
  });
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  await assert.rejects(transport.request({ ...get, timeoutMs: 2_000 }), {
    name: 'ApiError',
    status: 429,
    reason: 'TooManyRequests',
    message: 'later, please',
    retryAfterMs: 3000,
  });
});

test('an error that is not a Status keeps its first line', async (t) => {
  const server = await startTestServer(t, (_, response) => {
    response.writeHead(503).end('upstream is away\nmore');
  });
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  await assert.rejects(transport.request(get), {
    name: 'ApiError',
    status: 503,
    reason: 'ServiceUnavailable',
    message: 'upstream is away',
  });
});

test('an unreachable server is named, and nothing was sent to it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  const transport = new Transport(kubeConfigFor(`http://127.0.0.1:${port}`));
  await assert.rejects(transport.request(get), (error: TransportError) => {
    assert.equal(error.code, 'KUBE_CONNECTION');
    assert.equal(
      error.message,
      `cannot reach the API server at http://127.0.0.1:${port}: connection refused`,
    );
    assert.equal(isFateUnknown(error), false);
    return true;
  });
  await transport.close();
});

test('when the connection breaks under a request, its fate is unknown', async (t) => {
  const server = await startTestServer(t, (_, response) => response.socket?.destroy());
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  await assert.rejects(transport.request({ ...get, method: 'POST', body: '{}' }), (error) => {
    assert.ok(error instanceof TransportError && error.code === 'KUBE_CONNECTION');
    return isFateUnknown(error);
  });
});

test('a server behind a path prefix is asked below it', async (t) => {
  const server = await startTestServer(t, (_, response) => answerJson(response, {}));
  const transport = new Transport(kubeConfigFor(`${server.url}/k8s/clusters/one`));
  t.after(() => transport.close());
  await transport.request(get);
  assert.equal(server.received[0]?.path, '/k8s/clusters/one/api/v1/pods');
});

test('an answer that is not JSON is an error that says so', async (t) => {
  const server = await startTestServer(t, (_, response) => response.end('<html>'));
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  await assert.rejects(transport.json(get), { code: 'KUBE_RESPONSE' });
});

test('each request is measured once, with its status', async (t) => {
  const server = await startTestServer(t, ({ method }, response) =>
    answerJson(response, {}, method === 'GET' ? 200 : 409),
  );
  const seen: [string, number | 'error'][] = [];
  const transport = new Transport(server.kubeConfig, {
    metrics: { onRequest: (method, status) => seen.push([method, status]) },
  });
  await transport.request(get);
  await assert.rejects(transport.request({ ...get, method: 'PUT' }), ApiError);
  await transport.close();
  await assert.rejects(transport.request(get), TransportError);
  assert.deepEqual(seen, [
    ['GET', 200],
    ['PUT', 409],
    ['GET', 'error'],
  ]);
});
