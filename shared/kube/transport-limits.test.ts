import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { KubeClient } from './client.ts';
import { leases } from './resources.ts';
import { answerJson, startTestServer, until } from './test-server.ts';
import { Transport } from './transport.ts';

const get = { method: 'GET', path: '/api/v1/pods' } as const;
const patch = { method: 'PATCH', path: '/api/v1/namespaces/default/secrets/x', body: '{}' } as const;
const renewed = { metadata: { namespace: 'default', name: 'mine' } };

/** A server that answers only the requests for Leases; and one that answers all. */
const leasesOnly = ({ path }: { path: string }, response: ServerResponse): void => {
  if (path.includes('/leases/')) answerJson(response, renewed);
};
const all = (_: unknown, response: ServerResponse): void => answerJson(response, renewed);

/** Aborts what is under way when the test has ended. */
function untilEnd(t: TestContext): AbortSignal {
  const controller = new AbortController();
  t.after(() => controller.abort(new Error('the test has ended')));
  return controller.signal;
}

test('the renewal of a Lease passes a thousand requests that wait for a slot', async (t) => {
  const server = await startTestServer(t, leasesOnly);
  const transport = new Transport(server.kubeConfig, { clock: new FakeClock() });
  t.after(() => transport.close());
  const signal = untilEnd(t);
  const others = Array.from({ length: 1_000 }, (_, i) =>
    transport.request({ ...(i % 2 ? get : patch), signal }).catch(() => undefined),
  );
  await until(() => server.received.length === 256);
  await new KubeClient(transport).update(leases, renewed, { timeoutMs: 1_000, priority: true });
  assert.equal(server.received.length, 257);
  assert.equal(others.length, 1_000);
});

test('it passes those that wait for the rate limit, too, and takes nothing of it', async (t) => {
  const server = await startTestServer(t, all);
  const clock = new FakeClock();
  const transport = new Transport(server.kubeConfig, { clock, qps: 1, burst: 2 });
  t.after(() => transport.close());
  const client = new KubeClient(transport);
  await client.get(leases, { namespace: 'default', name: 'mine' }, { priority: true });
  const three = Promise.all([transport.request(get), transport.request(get), transport.request(get)]);
  await until(() => server.received.length === 3);
  await client.update(leases, renewed, { priority: true });
  assert.equal(server.received.length, 4);
  await clock.advance(1_000);
  await three;
});

test('more requests than the burst are sent at the rate, in the order they came, retries included', async (t) => {
  let refusals = 1;
  const server = await startTestServer(t, (_, response) => {
    if (refusals-- > 0) response.setHeader('retry-after', '1');
    answerJson(response, {}, refusals >= 0 ? 429 : 200);
  });
  const clock = new FakeClock();
  const waits: number[] = [];
  const transport = new Transport(server.kubeConfig, {
    clock,
    qps: 4,
    burst: 2,
    metrics: { onThrottled: (_, waitedMs) => waits.push(waitedMs) },
  });
  t.after(() => transport.close());
  const ids = [0, 1, 2, 3];
  const done = Promise.all(ids.map((id) => transport.request({ ...get, query: { id } })));
  const sent = (): (string | null)[] => server.received.map(({ query }) => query.get('id'));
  await until(() => server.received.length === 2);
  for (const [ms, expected] of [
    [249, 2],
    [1, 3],
    [249, 3],
    [1, 4],
  ] as const) {
    await clock.advance(ms);
    await until(() => server.received.length >= expected);
    assert.equal(server.received.length, expected);
  }
  await clock.advance(500);
  await done;
  assert.deepEqual(sent().slice(2, 4), ['2', '3']);
  assert.deepEqual(waits, [0, 0, 250, 500, 0]);
});

test('a request whose turn does not come before its deadline is not sent, and takes no turn of others', async (t) => {
  const server = await startTestServer(t, all);
  const clock = new FakeClock();
  const transport = new Transport(server.kubeConfig, { clock, qps: 1, burst: 1 });
  t.after(() => transport.close());
  await transport.request(get);
  const failed = assert.rejects(transport.request({ ...get, timeoutMs: 500 }), {
    code: 'KUBE_TIMEOUT',
    nothingSent: true,
    message: `nothing sent to the API server at ${server.url} within 500 ms: it waited for the rate limit, a free connection or credentials`,
  });
  const next = transport.request(get);
  await clock.advance(500);
  await failed;
  assert.equal(server.received.length, 1);
  await clock.advance(500);
  await next;
  assert.equal(server.received.length, 2);
});

test('without a rate nothing is held back; the program is named', async (t) => {
  const server = await startTestServer(t, all);
  const clock = new FakeClock();
  const transport = new Transport(server.kubeConfig, { clock, userAgent: 'my-operator/1.2' });
  t.after(() => transport.close());
  await Promise.all(Array.from({ length: 200 }, () => transport.request(get)));
  assert.equal(server.received[0]?.headers['user-agent'], 'my-operator/1.2');
});

for (const [options, message] of [
  [{ maxConnections: 0 }, 'maxConnections must be a whole number of at least 1, not 0'],
  [{ maxConnections: 1.5 }, 'maxConnections must be a whole number of at least 1, not 1.5'],
  [{ qps: -1 }, 'qps must be more than 0, not -1'],
  [{ qps: Number.NaN }, 'qps must be more than 0, not NaN'],
  [{ qps: 5, burst: 0 }, 'burst must be at least 1, not 0'],
] as const) {
  test(`limits that make no sense are told: ${message}`, () => {
    const cluster = { name: 'cluster', server: 'https://127.0.0.1' };
    assert.throws(() => new Transport({ cluster, user: undefined, namespace: 'default' }, options), {
      name: 'RangeError',
      message,
    });
  });
}
