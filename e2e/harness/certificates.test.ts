import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CertificateAuthority, serviceAccountKeys } from './certificates.ts';
import { kubeconfig } from './kubeconfig.ts';

test('a client’s certificate names its user and groups, and is signed by the authority', async () => {
  const authority = await CertificateAuthority.create('test');
  const { certificate, key } = await authority.client('system:node:a', ['a', 'b c']);
  const parsed = new X509Certificate(certificate);
  assert.equal(parsed.subject, 'O=a\nO=b c\nCN=system:node:a');
  assert.ok(parsed.verify(new X509Certificate(authority.certificate).publicKey));
  assert.ok(parsed.checkPrivateKey(createPrivateKey(key)));
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.2']);
});

test('a server’s certificate holds for its addresses and names only', async () => {
  const authority = await CertificateAuthority.create('test');
  const { certificate } = await authority.serving('server', ['127.0.0.1'], ['localhost']);
  const parsed = new X509Certificate(certificate);
  assert.ok(parsed.checkIP('127.0.0.1'));
  assert.ok(parsed.checkHost('localhost'));
  assert.equal(parsed.checkIP('127.0.0.2'), undefined);
  assert.ok(new Date(parsed.validFrom) < new Date());
});

test('the keys of service accounts are a pair', () => {
  const { privateKey, publicKey } = serviceAccountKeys();
  const derived = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  assert.equal(derived, publicKey);
});

test('a kubeconfig carries the authority, the user and the address', () => {
  const text = kubeconfig('https://127.0.0.1:1', 'authority', 'alice', { certificate: 'cert', key: 'key' });
  const parsed: unknown = parse(text);
  assert.partialDeepStrictEqual(parsed, {
    clusters: [
      { cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': btoa('authority') } },
    ],
    users: [
      { name: 'alice', user: { 'client-certificate-data': btoa('cert'), 'client-key-data': btoa('key') } },
    ],
    'current-context': 'control-plane',
  });
});
