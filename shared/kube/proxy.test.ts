import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startTestServer } from './test-server.ts';
import { certificateFor, startTlsServer, transportFor } from './tls-fixture.ts';

const get = { method: 'GET', path: '/' } as const;

interface Proxy {
  host: string;
  /** Target and authorization of each CONNECT. */
  asked: [string | undefined, string | undefined][];
}

/** A CONNECT proxy on loopback that answers `status`, and on 200 makes a tunnel; closed after the test. */
async function startProxy(t: TestContext, status = '200 OK'): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request, client: Socket) => {
    asked.push([request.url, request.headers['proxy-authorization']]);
    sockets.add(client);
    const { hostname, port } = new URL(`http://${request.url}`);
    if (!status.startsWith('200')) {
      client.end(`HTTP/1.1 ${status}\r\n\r\n`);
      return;
    }
    const upstream = connect(Number(port), hostname, () => {
      client.write(`HTTP/1.1 ${status}\r\n\r\n`);
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    for (const socket of [client, upstream])
      socket.on('error', () => {}).on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { host: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked };
}

test('requests go through the proxy of the kubeconfig, by one tunnel, with TLS to the server itself', async (t) => {
  const own = await certificateFor('api.example');
  const server = await startTlsServer(t, own, []);
  const proxy = await startProxy(t);
  const caData = Buffer.from(own.cert).toString('base64');
  const proxyUrl = `http://ada:secret@${proxy.host}`;
  const transport = transportFor(t, { server, caData, tlsServerName: 'api.example', proxyUrl });
  for (let i = 0; i < 5; i += 1) await transport.json(get);
  assert.deepEqual(proxy.asked, [[server.slice('https://'.length), `Basic ${btoa('ada:secret')}`]]);
  assert.equal(transport.connectionsOpened, 1);
});

test('a server that is not verified is not talked to through a proxy either', async (t) => {
  const server = await startTlsServer(t, await certificateFor('api.example'), []);
  const proxy = await startProxy(t);
  await assert.rejects(transportFor(t, { server, proxyUrl: `http://${proxy.host}` }).json(get), {
    code: 'KUBE_CONNECTION',
    message: /its certificate is signed by an unknown authority/,
    nothingSent: true,
  });
});

test('a proxy that refuses is told, and nothing was sent', async (t) => {
  const { url } = await startTestServer(t, () => {});
  const proxy = await startProxy(t, '407 Proxy Authentication Required');
  const server = url.replace('http:', 'https:');
  await assert.rejects(transportFor(t, { server, proxyUrl: `http://${proxy.host}` }).json(get), {
    code: 'KUBE_CONNECTION',
    message: /: the proxy answered 407$/,
    nothingSent: true,
  });
});
