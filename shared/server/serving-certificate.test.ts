import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { type CertificateAndKey, issueAuthority, issueServing } from './issue-certificate.ts';
import { followServingCertificate } from './serving-certificate.ts';

const authority = await issueAuthority(new Date());
const [first, second] = [
  await issueServing(authority, ['first'], new Date()),
  await issueServing(authority, ['second'], new Date()),
];

async function follow(t: TestContext) {
  const clock = new FakeClock();
  const folder = await mkdtemp(join(tmpdir(), 'serving-certificate-'));
  const told: CertificateAndKey[] = [];
  const warned: string[] = [];
  const logger = { ...silentLogger, warn: (message: unknown) => void warned.push(String(message)) };
  const stop = new AbortController();
  let ended: Promise<void> | undefined;
  const until = async (look: () => boolean): Promise<void> => {
    while (!look()) await setImmediate();
  };
  const asleep = (): Promise<void> => until(() => clock.pending === 1);
  t.after(async () => {
    stop.abort();
    await ended;
    await rm(folder, { recursive: true });
  });
  return {
    told,
    warned,
    write: async (certificate: string, key: string) => {
      await writeFile(join(folder, 'tls.key'), key);
      await writeFile(join(folder, 'tls.crt'), certificate);
    },
    async start() {
      const onChange = (pair: CertificateAndKey): void => void told.push(pair);
      ended = followServingCertificate({ clock, logger, folder }, onChange, stop.signal);
      await asleep();
    },
    async later() {
      await clock.advance(10_000);
      await asleep();
    },
  };
}

test('without files it is one of its own, once', async (t) => {
  const { told, start, later } = await follow(t);
  await start();
  await later();
  assert.equal(told.length, 1);
  assert.ok(new X509Certificate(told[0]?.certificate ?? '').checkHost(hostname()));
});

test('files are read, and read again when they change', async (t) => {
  const { told, write, start, later } = await follow(t);
  await write(first.certificate, first.key);
  await start();
  await later();
  await write(second.certificate, second.key);
  await later();
  assert.deepEqual(told, [first, second]);
});

test('files that come later take the place of its own', async (t) => {
  const { told, write, start, later } = await follow(t);
  await start();
  await write(first.certificate, first.key);
  await later();
  assert.deepEqual(told.slice(1), [first]);
});

test('what can’t be used is told once, and what was in use stays', async (t) => {
  const { told, warned, write, start, later } = await follow(t);
  await write(first.certificate, first.key);
  await start();
  await write(second.certificate, first.key);
  await later();
  await later();
  assert.deepEqual(told, [first]);
  assert.equal(warned.length, 1);
  assert.match(warned[0] ?? '', /can't be used: the key is not that of the certificate/);
  await write(second.certificate, second.key);
  await later();
  assert.deepEqual(told, [first, second]);
});
