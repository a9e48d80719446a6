import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { until } from './test-server.ts';
import { TlsFiles } from './tls-files.ts';
import { base64, type Certificate, certificateFor, startTlsServer, transportFor } from './tls-fixture.ts';

const get = { method: 'GET', path: '/' } as const;

interface Files {
  certFile: string;
  keyFile: string;
  caFile: string;
  write(pair: Certificate): Promise<void>;
}

async function filesOf(t: TestContext, pair: Certificate): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = {
    certFile: join(folder, 'tls.crt'),
    keyFile: join(folder, 'tls.key'),
    caFile: join(folder, 'ca.crt'),
    async write({ cert, key }: Certificate): Promise<void> {
      await Promise.all([writeFile(files.certFile, cert), writeFile(files.keyFile, key)]);
    },
  };
  await files.write(pair);
  return files;
}

test('a rotated client certificate is shown by new connections; requests under way end on the old one', async (t) => {
  const [own, one, two] = await Promise.all(['api', 'one', 'two'].map(certificateFor));
  assert.ok(own && one && two);
  const held: (() => void)[] = [];
  const hold = (answer: () => void): void => void held.push(answer);
  const server = await startTlsServer(t, own, [one, two], hold);
  const { certFile, keyFile, write } = await filesOf(t, one);
  const clock = new FakeClock();
  const transport = transportFor(t, { server, skipTLSVerify: true }, { certFile, keyFile }, clock);
  const patient = { ...get, timeoutMs: 60_000 };
  const before = transport.json(patient);
  await until(() => held.length === 1);
  await write(two);
  await clock.advance(9_999);
  const still = transport.json(patient);
  await until(() => held.length === 2);
  await clock.advance(1);
  const after = transport.json(patient);
  await until(() => held.length === 3);
  for (const answer of held) answer();
  assert.deepEqual(await Promise.all([before, still, after]), ['one', 'one', 'two']);
  assert.equal(transport.connectionsOpened, 3);
});

test('a certificate without its key yet is not shown; both are read again later', async (t) => {
  const [one, two] = await Promise.all(['one', 'two'].map(certificateFor));
  assert.ok(one && two);
  const { certFile, keyFile } = await filesOf(t, one);
  const kubeConfig = {
    cluster: { name: 'cluster', server: 'https://127.0.0.1' },
    user: { name: 'user', certFile, keyFile },
    namespace: 'default',
  };
  const clock = new FakeClock();
  const files = new TlsFiles(kubeConfig, clock);
  const first = await files.current();
  await writeFile(certFile, two.cert);
  await clock.advance(10_000);
  assert.equal(await files.current(), first);
  await writeFile(keyFile, two.key);
  await clock.advance(9_999);
  assert.equal(await files.current(), first);
  await clock.advance(1);
  const second = await files.current();
  assert.deepEqual([second.cert?.toString(), second.key?.toString()], [two.cert, two.key]);
  await rm(keyFile);
  await clock.advance(10_000);
  assert.equal(await files.current(), second);
  files.refused();
  await writeFile(keyFile, two.key);
  assert.equal(await files.current(), second, 'the same content is the same object');
});

test('a rotated certificate authority is trusted, within ten seconds', async (t) => {
  const [old, own] = await Promise.all(['old', 'api.example'].map(certificateFor));
  assert.ok(old && own);
  const server = await startTlsServer(t, own, []);
  const { caFile } = await filesOf(t, own);
  await writeFile(caFile, old.cert);
  const clock = new FakeClock();
  const transport = transportFor(t, { server, caFile, tlsServerName: 'api.example' }, {}, clock);
  await assert.rejects(transport.json(get), { code: 'KUBE_CONNECTION', nothingSent: true });
  await writeFile(caFile, own.cert);
  await clock.advance(10_000);
  await transport.json(get);
});

test('what cannot serve is told at the start', async (t) => {
  const [one, two] = await Promise.all(['one', 'two'].map(certificateFor));
  assert.ok(one && two);
  const server = 'https://127.0.0.1';
  const certData = base64(one.cert);
  const keyData = base64(two.key);
  const rows: [object, object, RegExp][] = [
    [
      {},
      { certData, keyData },
      /^the client-certificate of the kubeconfig cannot be used: it does not belong/,
    ],
    [{}, { certData }, /^the client-certificate of the kubeconfig .*: there is no client-key for it$/],
    [{}, { keyData }, /^the client-key of the kubeconfig .*: there is no client-certificate for it$/],
    [{}, { certData, keyData: base64('x') }, /^the client-key of the kubeconfig cannot be used: /],
    [{ caData: base64('x') }, {}, /^the certificate-authority of the kubeconfig cannot be used: /],
    [{ caFile: '/none/ca.crt' }, {}, /^cannot read \/none\/ca\.crt: ENOENT/],
    [
      { proxyUrl: 'socks5://x' },
      {},
      /^the proxy-url of cluster "cluster" must begin with http:\/\/ or https:/,
    ],
    [{ proxyUrl: 'proxy:80' }, {}, /^the proxy-url of cluster "cluster" must begin/],
  ];
  for (const [cluster, user, message] of rows) {
    assert.throws(() => transportFor(t, { server, ...cluster }, user), { code: 'KUBE_CONFIG', message });
  }
});

test('closing ends the requests on replaced connections, too', async (t) => {
  const [own, one, two] = await Promise.all(['api', 'one', 'two'].map(certificateFor));
  assert.ok(own && one && two);
  let held = 0;
  const server = await startTlsServer(t, own, [one, two], (answer) => {
    held += 1;
    if (held > 1) answer();
  });
  const { certFile, keyFile, write } = await filesOf(t, one);
  const clock = new FakeClock();
  const transport = transportFor(t, { server, skipTLSVerify: true }, { certFile, keyFile }, clock);
  const underWay = assert.rejects(transport.json({ ...get, timeoutMs: 60_000 }), { code: 'KUBE_CONNECTION' });
  await until(() => held === 1);
  await write(two);
  await clock.advance(10_000);
  assert.equal(await transport.json(get), 'two');
  await transport.close();
  await underWay;
});

test('files that stay unusable are told once; a rotation under way is not', async () => {
  const [one, two] = await Promise.all(['one', 'two'].map(certificateFor));
  assert.ok(one && two);
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  try {
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    await Promise.all([writeFile(certFile, one.cert), writeFile(keyFile, one.key)]);
    const clock = new FakeClock();
    const lines: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: unknown) => void lines.push(fields) } as Logger;
    const kubeConfig = {
      cluster: { name: 'cluster', server: 'https://127.0.0.1' },
      user: { name: 'user', certFile, keyFile },
      namespace: 'default',
    };
    const files = new TlsFiles(kubeConfig, clock, logger);
    const readAgain = async (): Promise<void> => {
      await clock.advance(10_000);
      await files.current();
    };
    await writeFile(certFile, two.cert);
    await readAgain();
    await writeFile(keyFile, two.key);
    await readAgain();
    assert.deepEqual(lines, []);
    await rm(keyFile);
    for (let reads = 0; reads < 5; reads += 1) await readAgain();
    assert.equal(lines.length, 1);
    assert.match(JSON.stringify(lines), /ENOENT.*tls\.key/);
    assert.equal(files.latest.cert?.toString(), two.cert);
  } finally {
    await rm(folder, { recursive: true });
  }
});
