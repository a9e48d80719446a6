import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { issueAuthority, issueServing } from '@controller-sharding/shared/server/issue-certificate.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { certificateSecret } from './certificates.ts';
import { fakeApi, names, signs } from './certificates-fixture.ts';

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const damages: [what: string, damage: (data: Record<string, string>) => Promise<void> | void][] = [
  ['a key that is not the certificate’s', (data) => void (data['tls.key'] = data['ca.key'] ?? '')],
  ['a certificate that is none', (data) => void (data['tls.crt'] = 'bm8=')],
  ['data that is no text', (data) => void (data['tls.crt'] = '////')],
  ['a missing authority', (data) => void delete data['ca.crt']],
  [
    'a million dashes',
    (data) => void (data['ca.crt'] = encoded('-----BEGIN CERTIFICATE-----'.repeat(40_000))),
  ],
  [
    'an authority that did not sign it',
    async (data) => {
      const { certificate, key } = await issueAuthority(new FakeClock().now());
      data['ca.crt'] = encoded(certificate);
      data['ca.key'] = encoded(key);
    },
  ],
  [
    'an authority that is none',
    (data) => {
      data['ca.crt'] = data['tls.crt'] ?? '';
      data['ca.key'] = data['tls.key'] ?? '';
    },
  ],
];
for (const [what, damage] of damages) {
  test(`a Secret with ${what} is repaired`, async () => {
    const api = fakeApi();
    await api.replica().read();
    await damage(api.secret?.data ?? {});
    const repaired = await api.replica().read();
    assert.deepEqual(api.writes, ['create', 'update']);
    assert.ok(repaired.authorities.some((authority) => signs(authority, repaired.certificate)));
    assert.deepEqual(await api.replica().read(), repaired);
  });

  test(`a replica that knew the Secret before it had ${what} serves as before`, async () => {
    const api = fakeApi();
    const replica = api.replica({ trusted: () => false });
    const before = await replica.read();
    await damage(api.secret?.data ?? {});
    const repaired = await replica.read();
    assert.equal(repaired.certificate, before.certificate);
    assert.ok(repaired.authorities.includes(before.authorities[0] ?? ''));
    assert.deepEqual(await api.replica({ trusted: () => false }).read(), repaired);
  });
}

test('a deleted Secret comes back with a new authority, under which nothing serves before it is trusted', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  const replica = api.replica({ clock });
  const before = await replica.read();
  api.secret = undefined;
  const after = await replica.read();
  assert.equal(after.certificate, before.certificate);
  assert.deepEqual(after.authorities.slice(1), before.authorities);
  await clock.advance(60_000);
  const rotated = await replica.read();
  assert.ok(signs(after.authorities[0], rotated.certificate));
});

test('other data of the Secret stay', async () => {
  const api = fakeApi();
  api.secret = {
    metadata: { name: certificateSecret, namespace: 'sharding-system', resourceVersion: '1' },
    type: 'Opaque',
    data: { note: 'eA==' },
  };
  await api.replica().read();
  assert.equal(api.secret.data?.['note'], 'eA==');
  assert.equal(api.secret.type, 'Opaque');
});

test('a broken Secret that can’t be written is an error; one that still serves is used, and told of', async () => {
  const api = fakeApi();
  await api.replica().read();
  const { secret } = api;
  const immutable = new ApiError(422, 'Invalid', 'field is immutable when `immutable` is set');
  api.client.update = () => Promise.reject(immutable);
  const names2 = [...names, '10.0.0.7'];
  assert.equal(await api.replica({ names: names2 }).problem(), immutable);
  assert.ok((await api.replica({ names: names2 }).read()).certificate);
  assert.ok(secret?.data);
  secret.data['tls.crt'] = '';
  await assert.rejects(api.replica().read(), immutable);
});

test('more authorities than overlap are not kept', async () => {
  const api = fakeApi();
  await api.replica().read();
  const { secret } = api;
  assert.ok(secret?.data);
  const now = new FakeClock().now();
  const authority = await issueAuthority(now);
  const serving = await issueServing(authority, names, now);
  const pem = authority.certificate;
  secret.data['ca.crt'] = encoded(Array.from({ length: 50 }, () => pem).join('\n'));
  secret.data['ca.key'] = encoded(authority.key);
  secret.data['tls.crt'] = encoded(serving.certificate);
  secret.data['tls.key'] = encoded(serving.key);
  assert.ok((await api.replica().read()).authorities.length <= 5);
});
