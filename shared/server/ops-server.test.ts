import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { silentLogger } from '../runtime/logger.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { ListenError } from './listen.ts';
import { type MetricsPage, UnavailableError } from './metrics-page.ts';
import { type Health, type OpsServerOptions, startOpsServer } from './ops-server.ts';

const fine: Health = { live: () => true, ready: () => true };

async function start(t: TestContext, options: Partial<OpsServerOptions> = {}) {
  const server = await startOpsServer({
    address: '127.0.0.1:0',
    health: fine,
    logger: silentLogger,
    ...options,
  });
  t.after(() => server.close());
  return async (path: string) => {
    const response = await fetch(`http://${server.address}${path}`);
    return {
      status: response.status,
      text: await response.text(),
      type: response.headers.get('content-type'),
    };
  };
}

test('a healthy process says so', async (t) => {
  const get = await start(t);
  for (const path of ['/healthz', '/readyz']) {
    const { status, text } = await get(path);
    assert.deepEqual([status, text], [200, 'ok\n'], path);
  }
});

test('an unhealthy process says why, and recovers', async (t) => {
  let ready: boolean | string = 'caches are not filled';
  const get = await start(t, { health: { live: () => false, ready: () => ready } });
  assert.deepEqual(await get('/healthz').then(({ status, text }) => [status, text]), [503, 'not ok\n']);
  assert.deepEqual(await get('/readyz').then(({ status, text }) => [status, text]), [
    503,
    'caches are not filled\n',
  ]);
  ready = true;
  assert.equal((await get('/readyz')).status, 200);
});

test('a check that throws is a failure without details', async (t) => {
  const health: Health = {
    live() {
      throw new Error('inner workings');
    },
    ready: () => true,
  };
  const get = await start(t, { health });
  assert.deepEqual(await get('/healthz').then(({ status, text }) => [status, text]), [
    500,
    'internal error\n',
  ]);
});

test('metrics are served in the Prometheus format, and only if there are any', async (t) => {
  const registry = new Registry();
  new Counter({ name: 'moves_total', help: 'Moves', registers: [registry] }).inc(3);
  const get = await start(t, { registry, health: undefined });
  const { text, type } = await get('/metrics');
  assert.match(text, /^moves_total 3$/m);
  assert.match(type ?? '', /^text\/plain; version=0\.0\.4/);
  assert.equal((await get('/healthz')).status, 404);
  const without = await start(t);
  assert.equal((await without('/metrics')).status, 404);
});

test('an address without host listens on all addresses', async (t) => {
  const server = await startOpsServer({ address: ':0', health: fine, logger: silentLogger });
  t.after(() => server.close());
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
});

test('the address 0 starts no server', async () => {
  const server = await startOpsServer({ address: '0', health: fine, logger: silentLogger });
  assert.equal(server.address, '0');
  await server.close();
});

test('a busy port is told in one line', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const bound = other.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const address = `127.0.0.1:${bound.port}`;
  await assert.rejects(
    startOpsServer({ address, health: fine, logger: silentLogger }),
    (error) =>
      error instanceof ListenError &&
      error.exitCode === 1 &&
      error.message === `cannot listen on ${address}: address already in use`,
  );
});

test('a wrong address is wrong usage', async () => {
  await assert.rejects(startOpsServer({ address: 'nowhere', logger: silentLogger }), UsageError);
});

test('closing ends connections that are kept alive', async () => {
  const server = await startOpsServer({ address: '127.0.0.1:0', health: fine, logger: silentLogger });
  await (await fetch(`http://${server.address}/healthz`)).text();
  await server.close();
  await assert.rejects(fetch(`http://${server.address}/healthz`));
});

test('metrics may come as a stream, or not now', async (t) => {
  let now = true;
  const registry: MetricsPage = {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    async metrics() {
      if (!now) throw new UnavailableError('the caches are not filled');
      return Readable.from(['one 1\n', 'two 2\n']);
    },
  };
  const get = await start(t, { registry });
  assert.deepEqual(await get('/metrics'), {
    status: 200,
    text: 'one 1\ntwo 2\n',
    type: 'text/plain; version=0.0.4; charset=utf-8',
  });
  now = false;
  const { status, text } = await get('/metrics');
  assert.deepEqual([status, text], [503, 'the caches are not filled\n']);
});
