import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { type CertificatesOptions, certificateSecret, ensureCertificate } from './certificates.ts';
import { issueAuthority } from './issue-certificate.ts';

const DAY_MS = 86_400_000;
const names = ['127.0.0.1', '::1', 'localhost', 'sharder.sharding-system.svc'];
const { signal } = new AbortController();

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

/** The Secrets of an API server that one can watch being asked. */
function fakeApi() {
  const api = {
    secret: undefined as Secret | undefined,
    writes: [] as string[],
    /** Runs before a write is looked at: another replica. */
    beforeWrite: async (): Promise<void> => {},
    options: (more: Partial<CertificatesOptions> = {}): CertificatesOptions => ({
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only Secrets are asked for
      client: api.client as CertificatesOptions['client'],
      clock: new FakeClock(),
      namespace: 'sharding-system',
      names,
      ...more,
    }),
    client: {
      get: async () => {
        if (!api.secret) throw new ApiError(404, 'NotFound', 'not found');
        return structuredClone(api.secret);
      },
      create: async (_resource: unknown, object: Secret) => {
        await api.beforeWrite();
        if (api.secret) throw new ApiError(409, 'AlreadyExists', 'exists');
        return api.write('create', object, 1);
      },
      update: async (_resource: unknown, object: Secret) => {
        await api.beforeWrite();
        const version = api.secret?.metadata.resourceVersion;
        if (object.metadata.resourceVersion !== version) throw new ApiError(409, 'Conflict', 'changed');
        return api.write('update', object, Number(version) + 1);
      },
    },
    write(verb: string, object: Secret, version: number): Secret {
      api.writes.push(verb);
      api.secret = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } };
      return api.secret;
    },
  };
  return api;
}

test('the first replica makes the Secret, the others serve with the same certificate', async () => {
  const api = fakeApi();
  const first = await ensureCertificate(api.options(), signal);
  assert.deepEqual(await ensureCertificate(api.options(), signal), first);
  assert.deepEqual(api.writes, ['create']);
  assert.equal(api.secret?.type, 'kubernetes.io/tls');
  assert.deepEqual(
    { name: api.secret.metadata.name, namespace: api.secret.metadata.namespace },
    { name: certificateSecret, namespace: 'sharding-system' },
  );
});

test('the certificate is for all names and signed by the authority', async () => {
  const { certificate, authority } = await ensureCertificate(fakeApi().options(), signal);
  const serving = new X509Certificate(certificate);
  assert.ok(serving.verify(new X509Certificate(authority).publicKey));
  assert.ok(serving.checkIssued(new X509Certificate(authority)));
  assert.ok(serving.checkIP('127.0.0.1') && serving.checkIP('::1'));
  assert.ok(serving.checkHost('localhost') && serving.checkHost('sharder.sharding-system.svc'));
  assert.ok(!serving.checkHost('sharder.other.svc'));
});

test('two replicas that start at once end up with one certificate', async () => {
  const api = fakeApi();
  let other: unknown;
  api.beforeWrite = async () => {
    api.beforeWrite = async () => {};
    other = await ensureCertificate(api.options(), signal);
  };
  assert.deepEqual(await ensureCertificate(api.options(), signal), other);
  assert.deepEqual(api.writes, ['create']);
});

test('a certificate is renewed 30 days before it expires, by the same authority', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  const first = await ensureCertificate(api.options({ clock }), signal);
  await clock.advance(334 * DAY_MS);
  assert.deepEqual(await ensureCertificate(api.options({ clock }), signal), first);
  await clock.advance(DAY_MS);
  const second = await ensureCertificate(api.options({ clock }), signal);
  assert.notEqual(second.certificate, first.certificate);
  assert.equal(second.authority, first.authority);
  assert.deepEqual(api.writes, ['create', 'update']);
});

test('an authority that expires is replaced, with what it signed', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  const first = await ensureCertificate(api.options({ clock }), signal);
  await clock.advance(3_621 * DAY_MS);
  const second = await ensureCertificate(api.options({ clock }), signal);
  assert.notEqual(second.authority, first.authority);
  assert.ok(new X509Certificate(second.certificate).verify(new X509Certificate(second.authority).publicKey));
});

test('a name that the certificate is not for makes a new one; fewer names do not', async () => {
  const api = fakeApi();
  const first = await ensureCertificate(api.options(), signal);
  assert.deepEqual(await ensureCertificate(api.options({ names: ['localhost'] }), signal), first);
  const more = await ensureCertificate(api.options({ names: [...names, '10.0.0.7'] }), signal);
  assert.ok(new X509Certificate(more.certificate).checkIP('10.0.0.7'));
  assert.equal(more.authority, first.authority);
});

const damages: [what: string, damage: (data: Record<string, string>) => Promise<void> | void][] = [
  ['a key that is not the certificate’s', (data) => void (data['tls.key'] = data['ca.key'] ?? '')],
  ['a certificate that is none', (data) => void (data['tls.crt'] = 'bm8=')],
  ['a missing authority', (data) => void delete data['ca.crt']],
  [
    'an authority that did not sign it',
    async (data) => {
      const { certificate, key } = await issueAuthority(new FakeClock().now());
      data['ca.crt'] = Buffer.from(certificate).toString('base64');
      data['ca.key'] = Buffer.from(key).toString('base64');
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
    await ensureCertificate(api.options(), signal);
    await damage(api.secret?.data ?? {});
    const repaired = await ensureCertificate(api.options(), signal);
    assert.deepEqual(api.writes, ['create', 'update']);
    assert.deepEqual(await ensureCertificate(api.options(), signal), repaired);
  });
}

test('an update that loses against another replica reads again', async () => {
  const api = fakeApi();
  await ensureCertificate(api.options({ names: ['localhost'] }), signal);
  let other: unknown;
  api.beforeWrite = async () => {
    api.beforeWrite = async () => {};
    other = await ensureCertificate(api.options(), signal);
  };
  assert.deepEqual(await ensureCertificate(api.options(), signal), other);
  assert.deepEqual(api.writes, ['create', 'update']);
});

test('an error of the API server is passed on, and races end', async () => {
  const api = fakeApi();
  api.client.get = () => Promise.reject(new ApiError(403, 'Forbidden', 'no'));
  await assert.rejects(ensureCertificate(api.options(), signal), { status: 403 });
  api.client.get = () => Promise.reject(new ApiError(404, 'NotFound', 'not found'));
  api.client.create = () => Promise.reject(new ApiError(409, 'AlreadyExists', 'exists'));
  await assert.rejects(ensureCertificate(api.options(), signal), { reason: 'AlreadyExists' });
});
