import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { answerJson, type ReceivedRequest, startTestServer, type TestServer } from './test-server.ts';
import { Transport } from './transport.ts';

const get = { method: 'GET', path: '/api/v1/pods' } as const;

/** A server that knows only one token, and a transport that reads its token from a file. */
async function setUp(
  t: TestContext,
  options: { valid: string; first: string },
): Promise<{
  server: TestServer;
  transport: Transport;
  rotate(token: string): Promise<void>;
  retried: number[];
}> {
  const folder = await mkdtemp(join(tmpdir(), 'sender-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  const rotate = (token: string): Promise<void> => writeFile(tokenFile, token);
  await rotate(options.first);
  const handler = ({ headers }: ReceivedRequest, response: ServerResponse): void =>
    answerJson(response, {}, headers.authorization === `Bearer ${options.valid}` ? 200 : 401);
  const user = { tokenFile };
  const server = await startTestServer(t, handler, user);
  const retried: number[] = [];
  const transport = new Transport(server.kubeConfig, {
    clock: new FakeClock(),
    metrics: { onRetry: (_, status) => retried.push(status) },
  });
  t.after(() => transport.close());
  return { server, transport, rotate, retried };
}

const tokens = ({ received }: TestServer): (string | undefined)[] =>
  received.map(({ headers }) => headers.authorization?.slice('Bearer '.length));

test('a token that was refused is read again, and the request sent once more with the new one', async (t) => {
  const { server, transport, rotate, retried } = await setUp(t, { valid: 'new', first: 'old' });
  await assert.rejects(transport.request(get), { status: 401 });
  assert.deepEqual(tokens(server), ['old']);
  await rotate('old2');
  await assert.rejects(transport.request(get), { status: 401 });
  assert.deepEqual(tokens(server), ['old', 'old', 'old2']);
  await rotate('new');
  await Promise.all([transport.request(get), transport.request(get)]);
  assert.deepEqual(new Set(tokens(server).slice(3)), new Set(['old2', 'new']));
  assert.equal(server.received.length, 7);
  assert.deepEqual(retried, [401, 401, 401]);
});

test('a stream is opened once more, too', async (t) => {
  const { server, transport, rotate } = await setUp(t, { valid: 'new', first: 'old' });
  await assert.rejects(transport.request(get), { status: 401 });
  await rotate('new');
  server.received.length = 0;
  let text = '';
  const { signal } = new AbortController();
  for await (const chunk of transport.stream({ path: get.path, signal }))
    text += Buffer.from(chunk).toString();
  assert.equal(text, '{}');
  assert.deepEqual(tokens(server), ['old', 'new']);
});

test('a process that stood still while it renewed its credentials sends nothing after the deadline', async (t) => {
  let stoodStillMs = 0;
  const clock = new (class extends FakeClock {
    override monotonic(): number {
      return super.monotonic() + stoodStillMs;
    }
  })();
  const folder = await mkdtemp(join(tmpdir(), 'sender-'));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'old');
  const server = await startTestServer(
    t,
    (_, response) => {
      writeFileSync(tokenFile, 'new');
      stoodStillMs = 40_000; // its timers haven't fired yet
      answerJson(response, {}, 401);
    },
    { tokenFile },
  );
  const transport = new Transport(server.kubeConfig, { clock });
  t.after(() => transport.close());
  await assert.rejects(transport.request({ ...get, method: 'PATCH', body: '{}', timeoutMs: 4_000 }), {
    code: 'KUBE_TIMEOUT',
  });
  assert.deepEqual(tokens(server), ['old']);
});

test('credentials that cannot change are not tried twice', async (t) => {
  const server = await startTestServer(t, (_, response) => answerJson(response, {}, 401), { token: 'x' });
  const transport = new Transport(server.kubeConfig, { clock: new FakeClock() });
  t.after(() => transport.close());
  await assert.rejects(transport.request(get), { status: 401, reason: 'Unauthorized' });
  assert.equal(server.received.length, 1);
});
