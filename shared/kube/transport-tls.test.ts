import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import type { User } from './kube-config.ts';
import { base64, type Certificate, certificateFor, startTlsServer, transportFor } from './tls-fixture.ts';
import { Transport } from './transport.ts';

const get = { method: 'GET', path: '/' } as const;

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
  const cluster = { name: 'cluster', server: 'https://127.0.0.1', caFile: '/none/ca.crt' };
  assert.throws(() => new Transport({ cluster, user: undefined, namespace: 'default' }), {
    code: 'KUBE_CONFIG',
    message: /^cannot read \/none\/ca\.crt: ENOENT/,
  });
});
