import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, type TestContext, test } from 'node:test';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { issueAuthority, issueServing } from '@controller-sharding/shared/server/issue-certificate.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import type { Decide } from './decide.ts';
import { startWebhookServer } from './webhook-server.ts';

const authority = await issueAuthority(new Date());
const tls = await issueServing(authority, ['127.0.0.1'], new Date());
const agent = new Agent({ ca: authority.certificate, keepAlive: true });
after(() => agent.destroy());

const patch = [{ op: 'add' as const, path: '/metadata/labels', value: { a: 'b' } }];
const review = {
  request: { uid: 'u', resource: { group: '', resource: 'secrets' }, object: { metadata: { name: 's' } } },
};

async function serve(t: TestContext, decide: Decide) {
  const answered: [ring: string, outcome: string][] = [];
  const clock = new FakeClock();
  const server = await startWebhookServer({
    address: { host: '127.0.0.1', port: 0 },
    decide,
    clock,
    logger: silentLogger,
    observer: { answered: (ring, outcome) => void answered.push([ring, outcome]) },
  });
  server.setCertificate(tls);
  t.after(() => server.close());
  const post = async (
    body: string | object,
    ring = 'ring',
    path = `/webhooks/sharder/controllerring/${ring}`,
  ) => {
    const outgoing = request({
      agent,
      host: '127.0.0.1',
      port: server.address.port,
      path: `${path}?timeout=5s`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response');
    assert.ok(incoming);
    const answer: { response?: object } = JSON.parse(await text(incoming));
    return { status: incoming.statusCode, response: answer.response };
  };
  return { answered, clock, post, server };
}

test('a request is answered with the patch that was decided on', async (t) => {
  const { post, answered } = await serve(t, (ring, { resource }) => {
    assert.deepEqual([ring, resource], ['ring', 'secrets']);
    return { outcome: 'placed', patch };
  });
  const { status, response } = await post(review);
  assert.equal(status, 200);
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64');
  assert.deepEqual(response, { uid: 'u', allowed: true, patchType: 'JSONPatch', patch: encoded });
  assert.deepEqual(answered, [['ring', 'placed']]);
});

test('an unknown ring is allowed', async (t) => {
  const { post, answered } = await serve(t, () => ({ outcome: 'unknown-ring' }));
  assert.deepEqual((await post(review, 'x'.repeat(200))).response, { uid: 'u', allowed: true });
  assert.deepEqual(answered, [['x'.repeat(200), 'unknown-ring']]);
});

const failures: [what: string, decide: Decide][] = [
  [
    'at once',
    () => {
      throw new Error('broken');
    },
  ],
  ['while something is read', () => () => Promise.reject(new Error('broken'))],
];
for (const [what, decide] of failures) {
  test(`whatever goes wrong ${what}, the request is allowed`, async (t) => {
    const { post, answered } = await serve(t, decide);
    assert.deepEqual((await post(review)).response, { uid: 'u', allowed: true });
    assert.deepEqual(answered, [['ring', 'error']]);
  });
}

test('a decision that hangs is given up after two seconds, with what it waits for', async (t) => {
  const started = Promise.withResolvers<AbortSignal>();
  const { post, answered, clock } = await serve(t, () => (signal) => {
    started.resolve(signal);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const answer = post(review);
  const signal = await started.promise;
  await clock.advance(1_999);
  assert.equal(signal.aborted, false);
  await clock.advance(1);
  assert.deepEqual((await answer).response, { uid: 'u', allowed: true });
  assert.equal(signal.aborted, true);
  assert.deepEqual(answered, [['ring', 'timeout']]);
});

test('no timer is left after an answer', async (t) => {
  const { post, clock } = await serve(t, () => async () => ({ outcome: 'followed' }));
  await post(review);
  assert.equal(clock.pending, 0);
});

test('a request that makes no sense is allowed as long as it has a uid', async (t) => {
  const { post, answered } = await serve(t, () => assert.fail('nothing to decide'));
  assert.deepEqual((await post({ request: { uid: 'u', resource: 7 } })).response, {
    uid: 'u',
    allowed: true,
  });
  for (const body of ['{', '[]', '{"request":null}', '"x"', '']) assert.equal((await post(body)).status, 400);
  assert.deepEqual(answered, [
    ['ring', 'unreadable'],
    ...Array.from({ length: 5 }, () => ['', 'unreadable']),
  ]);
});

test('labels with names of the prototype do no harm', async (t) => {
  const { post } = await serve(t, () => ({ outcome: 'placed', patch }));
  const body = JSON.stringify(review).replace(
    '"name":"s"',
    '"name":"s","labels":{"__proto__":"x","constructor":"y"}',
  );
  assert.equal((await post(body)).status, 200);
});

test('the largest update is taken, a larger body is refused before it is sent', async (t) => {
  const { post, server } = await serve(t, () => ({ outcome: 'labelled' }));
  assert.equal((await post({ ...review, padding: 'x'.repeat(6 * 1024 * 1024) })).status, 200);
  const { host, port } = server.address;
  const larger = request({
    agent: false,
    ca: authority.certificate,
    host,
    port,
    method: 'POST',
    path: '/webhooks/sharder/controllerring/ring',
    headers: { 'content-type': 'application/json', 'content-length': 9 * 1024 * 1024 },
  });
  larger.flushHeaders();
  const [incoming]: IncomingMessage[] = await once(larger, 'response');
  assert.ok(incoming);
  assert.equal(incoming.statusCode, 413);
  larger.destroy();
});

test('only the webhooks are served', async (t) => {
  const { post } = await serve(t, () => ({ outcome: 'labelled' }));
  assert.equal((await post(review, '', '/healthz')).status, 404);
});

test('a new certificate serves new connections, the old ones go on', async (t) => {
  const { post, server } = await serve(t, () => ({ outcome: 'labelled' }));
  assert.equal((await post(review)).status, 200);
  const other = await issueAuthority(new Date());
  server.setCertificate(await issueServing(other, ['127.0.0.1'], new Date()));
  assert.equal((await post(review)).status, 200);
  const { port } = server.address;
  const fresh = request({
    host: '127.0.0.1',
    port,
    ca: other.certificate,
    agent: false,
    method: 'GET',
    path: '/',
  }).end();
  const [incoming]: IncomingMessage[] = await once(fresh, 'response');
  assert.ok(incoming);
  assert.equal(incoming.statusCode, 404);
  incoming.resume();
});

test('a port in use is said in one line', async (t) => {
  const { server } = await serve(t, () => ({ outcome: 'labelled' }));
  const again = startWebhookServer({
    address: server.address,
    decide: () => ({ outcome: 'labelled' }),
    clock: new FakeClock(),
    logger: silentLogger,
  });
  await assert.rejects(again, { code: 'LISTEN', message: /address already in use$/ });
});

test('closing answers what is under way, and waits for no idle connection', { timeout: 5_000 }, async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const { post, server } = await serve(t, () => async () => {
    started.resolve();
    await finish.promise;
    return { outcome: 'labelled' };
  });
  const answer = post(review);
  await started.promise;
  const closed = server.close();
  finish.resolve();
  assert.equal((await answer).status, 200);
  await closed;
});
