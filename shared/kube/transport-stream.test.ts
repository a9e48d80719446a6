import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { answerJson, startTestServer, until } from './test-server.ts';
import { Transport } from './transport.ts';

const path = '/api/v1/pods';

test('an aborted stream throws the reason and closes its socket', async (t) => {
  const server = await startTestServer(t, (_, response) => response.write('one\n'));
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  const controller = new AbortController();
  const reason = new Error('enough');
  const chunks: string[] = [];
  await assert.rejects(async () => {
    for await (const chunk of transport.stream({ path, signal: controller.signal })) {
      chunks.push(Buffer.from(chunk).toString());
      setImmediate(() => controller.abort(reason));
    }
  }, reason);
  assert.deepEqual(chunks, ['one\n']);
  await until(async () => (await server.open()) === 0);
});

test('a consumer that stops closes the socket', async (t) => {
  const server = await startTestServer(t, (_, response) => response.write('one\n'));
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  for await (const _ of transport.stream({ path, signal: new AbortController().signal })) break;
  await until(async () => (await server.open()) === 0);
});

test('a stream that ends in good order leaves its connection to the next', async (t) => {
  const server = await startTestServer(t, (_, response) => {
    response.write('one\n');
    setImmediate(() => response.end('two\n'));
  });
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  for (let i = 0; i < 3; i += 1) {
    let text = '';
    for await (const chunk of transport.stream({ path, signal: new AbortController().signal })) {
      text += Buffer.from(chunk).toString();
    }
    assert.equal(text, 'one\ntwo\n');
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(server.connections(), 1);
});

test('streams do not take the slots of requests, and live past the deadline of their start', async (t) => {
  const clock = new FakeClock();
  const streams: ServerResponse[] = [];
  const server = await startTestServer(t, ({ query }, response) => {
    if (query.has('watch')) {
      response.write('one\n');
      streams.push(response);
    } else answerJson(response, {});
  });
  const transport = new Transport(server.kubeConfig, { clock, maxConnections: 1 });
  t.after(() => transport.close());
  const controller = new AbortController();
  const opened: number[] = [];
  const iterators = [1, 2, 3].map((id) =>
    transport.stream({
      path,
      query: { watch: true },
      signal: controller.signal,
      onOpen: () => opened.push(id),
    }),
  );
  for (const iterator of iterators) await iterator.next();
  assert.deepEqual(opened, [1, 2, 3]);
  await transport.request({ method: 'GET', path });
  await clock.advance(3_600_000);
  streams[0]?.write('two\n');
  assert.equal(Buffer.from((await iterators[0]?.next())?.value ?? []).toString(), 'two\n');
  controller.abort(new Error('enough'));
});

test('a stream that is refused throws the ApiError', async (t) => {
  const server = await startTestServer(t, (_, response) =>
    answerJson(response, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }, 410),
  );
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  const stream = transport.stream({ path, signal: new AbortController().signal });
  await assert.rejects(stream.next(), { name: 'ApiError', status: 410, message: 'too old' });
});

test('a stream that is not accepted in time ends with KUBE_TIMEOUT', async (t) => {
  const clock = new FakeClock();
  const server = await startTestServer(t, () => {});
  const transport = new Transport(server.kubeConfig, { clock });
  t.after(() => transport.close());
  const stream = transport.stream({ path, signal: new AbortController().signal });
  const failed = assert.rejects(stream.next(), { code: 'KUBE_TIMEOUT' });
  await until(() => server.received.length === 1);
  await clock.advance(30_000);
  await failed;
});

test('a stream whose connection breaks ends with KUBE_CONNECTION', async (t) => {
  const server = await startTestServer(t, (_, response) => {
    response.write('one\n', () => response.socket?.destroy());
  });
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  await assert.rejects(
    async () => {
      for await (const _ of transport.stream({ path, signal: new AbortController().signal }));
    },
    { code: 'KUBE_CONNECTION' },
  );
});
