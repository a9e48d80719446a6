import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, type TestContext, test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { silentLogger } from '../runtime/logger.ts';
import { issueAuthority, issueServing } from './issue-certificate.ts';
import type { Refusal } from './metrics-access.ts';
import { startOpsServer } from './ops-server.ts';

const authority = await issueAuthority(new Date());
const tls = await issueServing(authority, ['127.0.0.1'], new Date());
const agent = new Agent({ ca: authority.certificate });
after(() => agent.destroy());

async function start(t: TestContext, refusal?: Refusal) {
  const registry = new Registry();
  new Counter({ name: 'moves_total', help: 'Moves', registers: [registry] }).inc(0);
  const asked: unknown[] = [];
  const server = await startOpsServer({
    address: '127.0.0.1:0',
    registry,
    logger: silentLogger,
    access: {
      async check(path, authorization) {
        asked.push([path, authorization]);
        return refusal;
      },
    },
  });
  t.after(() => server.close());
  const scrape = async (path = '/metrics') => {
    const outgoing = get(`https://${server.address}${path}`, {
      agent,
      headers: { authorization: 'Bearer t' },
    });
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response');
    assert.ok(incoming);
    const { statusCode: status, headers } = incoming;
    return { status, body: await text(incoming), challenge: headers['www-authenticate'] };
  };
  return { server, asked, scrape };
}

test('who may read gets the metrics by HTTPS', async (t) => {
  const { server, asked, scrape } = await start(t);
  await assert.rejects(scrape(), 'no certificate yet');
  server.setCertificate(tls);
  const { status, body } = await scrape();
  assert.equal(status, 200);
  assert.match(body, /^moves_total 0$/m);
  assert.deepEqual(asked, [['/metrics', 'Bearer t']]);
});

test('who may not is told why, and sees no metrics', async (t) => {
  const { server, scrape } = await start(t, { status: 403, message: 'no' });
  server.setCertificate(tls);
  assert.deepEqual(await scrape(), { status: 403, body: 'no\n', challenge: undefined });
});

test('who shows no token is asked for one', async (t) => {
  const { server, scrape } = await start(t, { status: 401, message: 'no' });
  server.setCertificate(tls);
  assert.deepEqual(await scrape(), { status: 401, body: 'no\n', challenge: 'Bearer' });
});

test('nothing is answered without TLS', async (t) => {
  const { server } = await start(t);
  server.setCertificate(tls);
  await assert.rejects(fetch(`http://${server.address}/metrics`));
});
