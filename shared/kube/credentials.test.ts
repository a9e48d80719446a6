import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { CredentialSource } from './credentials.ts';
import type { User } from './kube-config.ts';
import { kubeConfigFor } from './test-server.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'credentials-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

const source = (user: Partial<User>, clock = new FakeClock()): CredentialSource =>
  new CredentialSource(kubeConfigFor('http://127.0.0.1', user), clock);

const headers = async (credentials: CredentialSource): Promise<Readonly<Record<string, string>>> =>
  (await credentials.current()).headers;

test('a token, a user with password and an impersonated user become headers', async () => {
  assert.deepEqual(await headers(source({ token: 'secret\n' })), { authorization: 'Bearer secret' });
  assert.deepEqual(await headers(source({ username: 'ada', password: 'x' })), {
    authorization: `Basic ${btoa('ada:x')}`,
  });
  assert.deepEqual(await headers(source({ impersonateUser: 'bob' })), { 'impersonate-user': 'bob' });
  assert.deepEqual(await headers(source({})), {});
});

test('a token file is read again after 10 s, or when the server refused its token', async (t) => {
  const tokenFile = join(await folder(t), 'token');
  const clock = new FakeClock();
  const credentials = source({ tokenFile }, clock);

  await writeFile(tokenFile, 'one\n');
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer one' });
  await writeFile(tokenFile, 'two\n');
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer one' });
  await clock.advance(10_000);
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer two' });

  await writeFile(tokenFile, 'three\n');
  credentials.refused(await credentials.current());
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer three' });
});

test('a token file that is missing or empty is named', async (t) => {
  const tokenFile = join(await folder(t), 'token');
  const credentials = source({ tokenFile });
  await assert.rejects(credentials.current(), { code: 'KUBE_CONFIG', message: /cannot read the token file/ });
  await writeFile(tokenFile, '\n');
  await assert.rejects(credentials.current(), { message: `the token file ${tokenFile} is empty` });
});

test('an auth provider that is not supported is named', async () => {
  await assert.rejects(source({ authProvider: 'gcp' }).current(), {
    code: 'KUBE_CONFIG',
    message: 'user "user": auth-provider "gcp" is not supported, use an exec plugin',
  });
});

/** A plugin that counts its calls in a file, and returns the count as its token. */
function plugin(counter: string, status = ''): Partial<User> {
  const script = `
    const fs = require('node:fs');
    const n = Number(fs.existsSync(${JSON.stringify(counter)}) && fs.readFileSync(${JSON.stringify(counter)})) + 1;
    fs.writeFileSync(${JSON.stringify(counter)}, String(n));
    console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: process.env.PREFIX + n, ${status} } }));`;
  return {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', script],
      env: [{ name: 'PREFIX', value: 'token-' }],
    },
  };
}

test('an exec plugin runs once for all who wait, and again before its credential expires', async (t) => {
  const counter = join(await folder(t), 'counter');
  const clock = new FakeClock(new Date('2026-01-01T00:00:00Z'));
  const credentials = source(plugin(counter, 'expirationTimestamp: "2026-01-01T00:01:00Z"'), clock);
  const all = await Promise.all([headers(credentials), headers(credentials), headers(credentials)]);
  for (const each of all) assert.deepEqual(each, { authorization: 'Bearer token-1' });

  await clock.advance(49_000);
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer token-1' });
  await clock.advance(1_000);
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer token-2' });
});

test('an exec plugin without expiry runs again only after the server refused its token', async (t) => {
  const counter = join(await folder(t), 'counter');
  const credentials = source(plugin(counter));
  const first = await credentials.current();
  assert.equal(await credentials.current(), first);
  credentials.refused(first);
  const second = await credentials.current();
  assert.deepEqual(second.headers, { authorization: 'Bearer token-2' });
  credentials.refused(first); // by the answer to a request that was sent before
  assert.equal(await credentials.current(), second);
  assert.equal(await readFile(counter, 'utf8'), '2');
});

test('a token that cannot be renewed goes on, until the server refuses it', async (t) => {
  const tokenFile = join(await folder(t), 'token');
  const clock = new FakeClock();
  const credentials = source({ tokenFile }, clock);
  await writeFile(tokenFile, 'one');
  const first = await credentials.current();
  await rm(tokenFile);
  await clock.advance(10_000);
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer one' });
  credentials.refused(await credentials.current());
  await assert.rejects(credentials.current(), { message: /cannot read the token file/ });
  await writeFile(tokenFile, 'two');
  assert.deepEqual(await headers(credentials), { authorization: 'Bearer two' });
  assert.deepEqual(first.headers, { authorization: 'Bearer one' });
});

test('an exec plugin learns the API version it shall answer in, and the cluster if it wants to', async () => {
  const script = 'console.log(JSON.stringify({ status: { token: process.env.KUBERNETES_EXEC_INFO } }))';
  const credentials = source({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: process.execPath,
      args: ['-e', script],
      provideClusterInfo: true,
    },
  });
  const { authorization = '' } = await headers(credentials);
  assert.deepEqual(JSON.parse(authorization.slice('Bearer '.length)), {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: { server: 'http://127.0.0.1', 'insecure-skip-tls-verify': true },
    },
  });
});

test('what a failing exec plugin says is the message', async () => {
  const node = process.execPath;
  const rows: [object, string][] = [
    [{ command: '/none/such', installHint: 'get it\nthere' }, 'exec plugin /none/such: not found; get it'],
    [
      { command: node, args: ['-e', 'console.error("log in first"); process.exit(1)'] },
      `exec plugin ${node}: log in first`,
    ],
    [{ command: node, args: ['-e', ''] }, `exec plugin ${node}: its output is not JSON`],
    [
      { command: node, args: ['-e', 'console.log("{}")'] },
      `exec plugin ${node}: it returned neither token nor certificate`,
    ],
    [{}, 'the kubeconfig names an exec plugin without a command'],
  ];
  for (const [exec, message] of rows) {
    await assert.rejects(source({ exec }).current(), { code: 'KUBE_CONFIG', message });
  }
});

test('credentials that cannot be renewed go on; each reason is told once', async (t) => {
  const tokenFile = join(await folder(t), 'token');
  await writeFile(tokenFile, 'one\n');
  const clock = new FakeClock();
  const lines: Array<{ reason: string }> = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ level: 'warn', name: 'test', destination });
  const credentials = new CredentialSource(kubeConfigFor('http://127.0.0.1', { tokenFile }), clock, logger);
  await credentials.current();
  const renewals = async (): Promise<void> => {
    for (let renewal = 0; renewal < 3; renewal += 1) {
      await clock.advance(10_000);
      assert.deepEqual(await headers(credentials), { authorization: 'Bearer one' });
    }
  };
  await rm(tokenFile);
  await renewals();
  await writeFile(tokenFile, '\n');
  await renewals();
  await writeFile(tokenFile, 'one\n');
  await renewals();
  await writeFile(tokenFile, '\n');
  await renewals();
  const reasons = lines.map(({ reason }) => /ENOENT|is empty/.exec(reason)?.[0]);
  assert.deepEqual(reasons, ['ENOENT', 'is empty', 'is empty']);
});
