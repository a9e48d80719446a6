import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueAuthority, issueServing } from '@controller-sharding/shared/server/issue-certificate.ts';
import { certificateFiles, FileCertificate } from './certificate-files.ts';

const names = { certName: 'tls.crt', keyName: 'tls.key' };
const standard = '/tmp/k8s-webhook-server/serving-certs';

test('the files of a folder that is named are meant, there or not', () => {
  const files = { certificate: '/certs/a.crt', key: '/certs/a.key' };
  const named = { certDir: '/certs', certName: 'a.crt', keyName: 'a.key' };
  assert.deepEqual(
    certificateFiles(named, () => false),
    files,
  );
});

test('the default folder counts only if it holds both files', () => {
  const files = { certificate: `${standard}/tls.crt`, key: `${standard}/tls.key` };
  assert.deepEqual(
    certificateFiles(names, () => true),
    files,
  );
  assert.equal(
    certificateFiles(names, (path) => path.endsWith('.crt')),
    undefined,
  );
});

test('a certificate is read with its key; others, or none, are an error', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-files-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const source = new FileCertificate(files);
  await assert.rejects(source.read(), { code: 'ENOENT' });

  const authority = await issueAuthority(new Date());
  const first = await issueServing(authority, ['localhost'], new Date());
  const second = await issueServing(authority, ['localhost'], new Date());
  await writeFile(files.certificate, first.certificate);
  await writeFile(files.key, first.key);
  assert.deepEqual((await source.read()).certificate, { ...first, authorities: undefined });

  await writeFile(files.certificate, second.certificate);
  await assert.rejects(source.read(), /not that of the certificate/);
  await writeFile(files.key, second.key);
  assert.equal((await source.read()).certificate.certificate, second.certificate);
});
