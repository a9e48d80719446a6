import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { kubeconfig } from '../harness/kubeconfig.ts';
import { testFolder } from '../harness/test-fixtures.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Fault } from './fault.ts';
import { FaultProxy } from './fault-proxy.ts';

const lines = ['{"n":1}\n', '{"n":2}\n', '{"n":3}\n'];
const path = '/api/v1/configmaps';

/** What came of an answer, and how it ended. */
interface Received {
  text: string;
  error: string | undefined;
}

interface Setup {
  proxy: FaultProxy;
  transport: Transport;
  server: Server;
  /** Path of a kubeconfig for clients of the proxy. */
  client: string;
  /** `timeoutMs`: as long as it takes to know that nothing more comes. */
  read(timeoutMs?: number): Promise<Received>;
}

/** A server that answers three lines and says who asks; a proxy before it, and a client of that. */
async function setUp(t: TestContext, options: { pageSize?: number } = {}): Promise<Setup> {
  const folder = await testFolder(t);
  const authority = await CertificateAuthority.create('server-ca');
  const serving = await authority.serving('server', ['127.0.0.1'], []);
  const server = createServer({
    cert: serving.certificate,
    key: serving.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('request', (message, response) => {
    response.writeHead(200, {
      'x-asked': `${message.method} ${message.url}`,
      'x-length': lines.join('').length,
    });
    if (message.method === 'GET') response.end(lines.join(''));
    else message.pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const url = `https://127.0.0.1:${address.port}`;
  const admin = join(folder, 'admin');
  await writeFile(admin, kubeconfig(url, authority.certificate, 'admin', await authority.client('admin')));

  const proxy = await FaultProxy.start({ kubeconfig: admin, ...options });
  t.after(() => proxy.stop());
  const client = join(folder, 'client');
  await writeFile(client, proxy.kubeconfig());
  const transport = new Transport(loadKubeConfig({ kubeconfig: client }));
  t.after(() => transport.close());

  const read = async (timeoutMs = 5_000): Promise<Received> => {
    let text = '';
    let error: string | undefined;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      for await (const piece of transport.stream({ path, signal, query: { watch: true } })) {
        text += Buffer.from(piece).toString();
      }
    } catch (caught) {
      error = String(caught);
    }
    return { text, error };
  };
  return { proxy, transport, server, client, read };
}

const anything = (): boolean => true;

test('without a rule, requests and answers pass unchanged, and are counted', async (t) => {
  const { proxy, transport, read } = await setUp(t);
  assert.deepEqual((await read()).text, lines.join(''));
  const answer = await transport.request({
    method: 'PUT',
    path: `${path}/a`,
    body: '{"a":"ä"}',
    noServerTimeout: true,
  });
  assert.equal(answer.body, '{"a":"ä"}');
  assert.equal(answer.headers['x-asked'], `PUT ${path}/a`);
  assert.equal(proxy.received('watch'), 1);
  assert.equal(proxy.forwarded('update'), 1);
  assert.equal(proxy.received(), 2);
  assert.equal(proxy.forwarded('list', 'watch-list'), 0);
});

const reset = /connection reset/;
const timeout = /TimeoutError/;
const rows: [name: string, fault: Fault, text: string, error: RegExp | undefined][] = [
  ['reset before the server has seen it', { kind: 'reset', at: 'request' }, '', reset],
  ['reset before the head', { kind: 'reset', at: 'answer' }, '', reset],
  ['reset behind the head', { kind: 'reset', at: 'head' }, '', reset],
  ['reset behind some bytes', { kind: 'reset', at: { bytes: 3 } }, '{"n', reset],
  ['reset between lines', { kind: 'reset', at: { lines: 1 } }, lines[0] ?? '', reset],
  ['reset in a line', { kind: 'reset', at: { lines: 1, bytes: 3 } }, `${lines[0]}{"n`, reset],
  ['closed before the head', { kind: 'end', at: 'answer' }, '', /connection closed/],
  ['ended between lines', { kind: 'end', at: { lines: 2 } }, lines.slice(0, 2).join(''), undefined],
  ['ended in a line', { kind: 'end', at: { bytes: 5 } }, '{"n":', undefined],
  ['stalled before the server has seen it', { kind: 'stall', at: 'request' }, '', timeout],
  ['stalled behind the head', { kind: 'stall', at: 'head' }, '', timeout],
  ['half-open behind some bytes', { kind: 'stall', at: { bytes: 9 } }, `${lines[0]}{`, timeout],
  [
    'with a line too many',
    { kind: 'insert', at: { lines: 3 }, text: 'garbage\n' },
    `${lines.join('')}garbage\n`,
    undefined,
  ],
  ['with garbage first', { kind: 'insert', at: 'head', text: '!' }, `!${lines.join('')}`, undefined],
  ['refused', { kind: 'answer', status: 410, body: 'too old' }, '', /too old/],
  ['another', { kind: 'answer', status: 200, body: '<html>' }, '<html>', undefined],
];

for (const [name, fault, text, error] of rows) {
  test(`an answer is ${name}, once`, async (t) => {
    const { proxy, read } = await setUp(t);
    const armed = proxy.arm({ when: ({ kind }) => kind === 'watch', fault });
    const received = await read(fault.kind === 'stall' ? 200 : undefined);
    assert.equal(received.text, text);
    if (error) assert.match(received.error ?? '', error);
    else assert.equal(received.error, undefined);
    assert.equal(armed.acted, 1);
    assert.ok(armed.over);
    const seen = fault.kind !== 'answer' && !('at' in fault && fault.at === 'request');
    assert.equal(proxy.forwarded(), seen ? 1 : 0);
    assert.equal((await read()).text, lines.join(''));
  });
}

test('an answer comes in pieces of any size', async (t) => {
  const { proxy, client } = await setUp(t);
  const cluster = loadKubeConfig({ kubeconfig: client }).cluster;
  const ca = Buffer.from(cluster?.caData ?? '', 'base64');
  for (const pieceBytes of [1, 7, 100]) {
    const armed = proxy.arm({ when: anything, times: 2, fault: { kind: 'split', pieceBytes } });
    for (let round = 0; round < 2; round += 1) {
      const pieces = await new Promise<string[]>((resolve, reject) => {
        const asked = get(`${cluster?.server}${path}`, { ca, agent: false }, (response) => {
          response.setEncoding('latin1').toArray().then(resolve, reject);
        });
        asked.once('error', reject);
      });
      assert.equal(pieces.join(''), lines.join(''));
      assert.ok(pieces.every(({ length }) => length <= pieceBytes));
    }
    assert.equal(armed.acted, 2);
  }
});

test('an answer comes slowly', async (t) => {
  const { proxy, read } = await setUp(t);
  proxy.arm({ when: anything, fault: { kind: 'slow', bytesPerSecond: 100 } });
  const began = performance.now();
  assert.equal((await read()).text, lines.join(''));
  assert.ok(performance.now() - began >= 200, '24 bytes at 100 bytes/s');
});

test('an answer that ends before the place of its fault is whole, and the fault did not happen', async (t) => {
  const { proxy, read } = await setUp(t);
  const armed = proxy.arm({ when: anything, fault: { kind: 'reset', at: { lines: 9 } } });
  assert.equal((await read()).text, lines.join(''));
  assert.equal(armed.acted, 0);
});

test('rules have their turns, and end when disarmed', async (t) => {
  const { proxy, read } = await setUp(t);
  const first = proxy.arm({ when: anything, times: 2, fault: { kind: 'answer', status: 503 } });
  const second = proxy.arm({
    when: anything,
    times: Number.POSITIVE_INFINITY,
    fault: { kind: 'answer', status: 500 },
  });
  const errors: (string | undefined)[] = [];
  for (let round = 0; round < 4; round += 1) errors.push((await read()).error?.replace(/.* /, ''));
  assert.deepEqual(errors, ['503', '503', '500', '500']);
  assert.ok(first.over && second.over);
  assert.deepEqual([first.acted, second.acted], [2, 2]);
  second.disarm();
  assert.equal((await read()).text, lines.join(''));
});

test('lists get pages of the given size', async (t) => {
  const { transport } = await setUp(t, { pageSize: 2 });
  const { headers } = await transport.request({
    method: 'GET',
    path,
    query: { limit: 500 },
    noServerTimeout: true,
  });
  assert.equal(headers['x-asked'], `GET ${path}?limit=2`);
});

test('connections are refused, and taken again at the same address', async (t) => {
  const { proxy, read } = await setUp(t);
  assert.equal((await read()).text, lines.join(''));
  await proxy.refuse();
  assert.equal(proxy.connections, 0);
  assert.match((await read()).error ?? '', /connection refused/);
  await proxy.accept();
  assert.equal((await read()).text, lines.join(''));
});

test('a stalled exchange ends when the connections are cut', async (t) => {
  const { proxy, read } = await setUp(t);
  const armed = proxy.arm({ when: anything, fault: { kind: 'stall', at: { lines: 1 } } });
  const reading = read();
  await waitFor('the stall', () => armed.over, { everyMs: 5 });
  proxy.cut();
  assert.match((await reading).error ?? '', reset);
});

test('a server that is away shows as a reset', async (t) => {
  const { server, read } = await setUp(t);
  server.close();
  server.closeAllConnections();
  assert.match((await read()).error ?? '', reset);
});

test('what a client gives up is given up towards the server', async (t) => {
  const { proxy, server, transport } = await setUp(t);
  const open = new Set<unknown>();
  server.removeAllListeners('request').on('request', (_message, response) => {
    open.add(response.once('close', () => open.delete(response)));
    response.writeHead(200).write('{}\n');
  });
  const stop = new AbortController();
  const reading = (async () => {
    for await (const _ of transport.stream({ path, signal: stop.signal })) stop.abort(new Error('enough'));
  })();
  await assert.rejects(reading, /enough/);
  await waitFor('the end of the request', () => open.size === 0, { everyMs: 5 });
  assert.equal(proxy.forwarded(), 1);
});
