// oxlint-disable-next-line import/no-unassigned-import -- x509 needs it to be there first
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';
import * as x509 from '@peculiar/x509';
import { FakeClock } from '../testing/fake-clock.ts';
import { Transport } from './transport.ts';

interface Certificate {
  cert: string;
  key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const get = { method: 'GET', path: '/' } as const;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Signed by itself. */
async function certificateFor(name: string): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  });
  const key = x509.PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  return { cert: certificate.toString('pem'), key };
}

/** A TLS server whose answer is the name in the client's certificate; returns its URL. */
async function startTlsServer(t: TestContext, own: Certificate, clients: Certificate[]): Promise<string> {
  const ca = clients.map(({ cert }) => cert);
  const tls = { ...own, ca, requestCert: true, rejectUnauthorized: false };
  const subjects = new WeakMap<object, string>();
  const server = createServer(tls, (request, response) => {
    response.end(JSON.stringify(subjects.get(request.socket) ?? null));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const name = socket.authorized ? socket.getPeerCertificate().subject.CN : undefined;
    if (typeof name === 'string') subjects.set(socket, name);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `https://127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`;
}

function transportFor(
  t: TestContext,
  cluster: Partial<Cluster> & { server: string },
  user: Partial<User> = {},
  clock = new FakeClock(),
): Transport {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'cluster', skipTLSVerify: false, ...cluster },
    { name: 'user', ...user },
  );
  const transport = new Transport(kubeConfig, { clock });
  t.after(() => transport.close());
  return transport;
}

test('the server is verified, by the name it shall have, unless that is switched off', async (t) => {
  const own = await certificateFor('api.example');
  const server = await startTlsServer(t, own, []);
  const caData = base64(own.cert);
  const refused = { code: 'KUBE_CONNECTION', nothingSent: true };
  await assert.rejects(transportFor(t, { server }).request(get), {
    ...refused,
    message: `cannot reach the API server at ${server}: its certificate is signed by an unknown authority`,
  });
  await assert.rejects(transportFor(t, { server, caData }).request(get), {
    ...refused,
    message: `cannot reach the API server at ${server}: its certificate is for another name`,
  });
  await transportFor(t, { server, caData, tlsServerName: 'api.example' }).request(get);
  await transportFor(t, { server, skipTLSVerify: true }).request(get);
});

test('a client certificate of the kubeconfig is shown', async (t) => {
  const [own, ada] = await Promise.all([certificateFor('api'), certificateFor('ada')]);
  const server = await startTlsServer(t, own, [ada]);
  const user = { certData: base64(ada.cert), keyData: base64(ada.key) };
  const transport = transportFor(t, { server, skipTLSVerify: true }, user);
  assert.equal(await transport.json(get), 'ada');
  assert.equal(await transport.json(get), 'ada');
  assert.equal(transport.connectionsOpened, 1);
});

test('a new client certificate of an exec plugin is shown by new connections', async (t) => {
  const [own, one, two] = await Promise.all(['api', 'one', 'two'].map(certificateFor));
  assert.ok(own && one && two);
  const server = await startTlsServer(t, own, [one, two]);
  const certificate: Certificate = { ...one };
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  const user: Partial<User> = {
    exec: {
      command: process.execPath,
      get args() {
        const status = {
          clientCertificateData: certificate.cert,
          clientKeyData: certificate.key,
          expirationTimestamp: '2026-01-01T00:01:00Z',
        };
        return ['-e', `console.log(${JSON.stringify(JSON.stringify({ status }))})`];
      },
    },
  };
  const transport = transportFor(t, { server, skipTLSVerify: true }, user, clock);
  assert.equal(await transport.json(get), 'one');
  Object.assign(certificate, two);
  assert.equal(await transport.json(get), 'one');
  assert.equal(transport.connectionsOpened, 1);
  await clock.advance(50_000);
  assert.equal(await transport.json(get), 'two');
  assert.equal(await transport.json(get), 'two');
  assert.equal(transport.connectionsOpened, 2);
});

test('a certificate file that cannot be read is named', () => {
  const kubeConfig = new KubeConfig();
  const cluster = { name: 'cluster', server: 'https://127.0.0.1', skipTLSVerify: false };
  kubeConfig.loadFromClusterAndUser({ ...cluster, caFile: '/none/ca.crt' }, { name: 'user' });
  assert.throws(() => new Transport(kubeConfig), {
    code: 'KUBE_CONFIG',
    message: /^cannot read \/none\/ca\.crt: ENOENT/,
  });
});
