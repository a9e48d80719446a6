import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { certificateSecret } from './certificates.ts';
import { fakeApi, names, signs } from './certificates-fixture.ts';

const DAY_MS = 86_400_000;

test('the first replica makes the Secret, the others serve with the same certificate', async () => {
  const api = fakeApi();
  const first = await api.replica().read();
  assert.deepEqual(await api.replica().read(), first);
  assert.deepEqual(api.writes, ['create']);
  assert.equal(api.secret?.type, 'kubernetes.io/tls');
  assert.deepEqual(
    { name: api.secret.metadata.name, namespace: api.secret.metadata.namespace },
    { name: certificateSecret, namespace: 'sharding-system' },
  );
});

test('the certificate is for all names and signed by the authority', async () => {
  const { certificate, authorities } = await fakeApi().replica().read();
  const serving = new X509Certificate(certificate);
  const [authority = ''] = authorities;
  assert.ok(signs(authority, certificate));
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
    other = await api.replica().read();
  };
  assert.deepEqual(await api.replica().read(), other);
  assert.deepEqual(api.writes, ['create']);
});

test('a certificate is renewed 30 days before it expires, by the same authority', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  const first = await api.replica({ clock }).read();
  await clock.advance(334 * DAY_MS);
  assert.deepEqual(await api.replica({ clock }).read(), first);
  await clock.advance(DAY_MS);
  const second = await api.replica({ clock }).read();
  assert.notEqual(second.certificate, first.certificate);
  assert.deepEqual(second.authorities, first.authorities);
  assert.deepEqual(api.writes, ['create', 'update']);
});

/** Renewed every half year or so, for as long as the authority outlasts what it would sign. */
async function agedAuthority(api: ReturnType<typeof fakeApi>, clock: FakeClock) {
  let last = await api.replica({ clock }).read();
  const [authority] = last.authorities;
  while (last.authorities.length === 1 && last.authorities[0] === authority) {
    await clock.advance(100 * DAY_MS);
    last = await api.replica({ clock, trusted: () => false }).read();
  }
  assert.ok(authority);
  return { authority, last };
}

test('a new authority is made known while the old one’s certificate still serves', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  const { authority, last } = await agedAuthority(api, clock);
  assert.equal(last.authorities.length, 2);
  assert.equal(last.authorities[1], authority);
  assert.ok(signs(authority, last.certificate));
});

test('the new authority signs a minute later, if the API server trusts it by then; the old one goes a minute after', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  const { last } = await agedAuthority(api, clock);
  const asked: string[] = [];
  const read = (trusted: boolean) =>
    api
      .replica({
        clock,
        trusted(authority) {
          asked.push(authority);
          return trusted;
        },
      })
      .read();

  await clock.advance(59_000);
  assert.deepEqual(await read(true), last);
  await clock.advance(1_000);
  assert.deepEqual(await read(false), last);
  const signed = await read(true);
  assert.ok(signs(signed.authorities[0], signed.certificate));
  assert.deepEqual(signed.authorities, last.authorities);
  assert.deepEqual(new Set(asked), new Set([last.authorities[0]]));

  await clock.advance(59_000);
  assert.deepEqual(await read(true), signed);
  await clock.advance(1_000);
  assert.deepEqual((await read(true)).authorities, [last.authorities[0]]);
});

test('what serves never outlasts the authority that signed it', async () => {
  const api = fakeApi();
  const clock = new FakeClock();
  for (let day = 0; day < 4_000; day += 100) {
    const { certificate, authorities } = await api.replica({ clock }).read();
    const signer = authorities.find((authority) => signs(authority, certificate)) ?? '';
    const end = new X509Certificate(certificate).validToDate;
    assert.ok(end <= new X509Certificate(signer).validToDate, `day ${day}`);
    await clock.advance(100 * DAY_MS);
  }
});

test('a name that the certificate is not for makes a new one; fewer names do not', async () => {
  const api = fakeApi();
  const first = await api.replica().read();
  assert.deepEqual(await api.replica({ names: ['localhost'] }).read(), first);
  const more = await api.replica({ names: [...names, '10.0.0.7'] }).read();
  assert.ok(new X509Certificate(more.certificate).checkIP('10.0.0.7'));
  assert.deepEqual(more.authorities, first.authorities);
});

test('an update that loses against another replica reads again', async () => {
  const api = fakeApi();
  await api.replica({ names: ['localhost'] }).read();
  let other: unknown;
  api.beforeWrite = async () => {
    api.beforeWrite = async () => {};
    other = await api.replica().read();
  };
  assert.deepEqual(await api.replica().read(), other);
  assert.deepEqual(api.writes, ['create', 'update']);
});

test('an error of the API server is passed on, and races end', async () => {
  const api = fakeApi();
  api.client.get = () => Promise.reject(new ApiError(403, 'Forbidden', 'no'));
  await assert.rejects(api.replica().read(), { status: 403 });
  api.client.get = () => Promise.reject(new ApiError(404, 'NotFound', 'not found'));
  api.client.create = () => Promise.reject(new ApiError(409, 'AlreadyExists', 'exists'));
  await assert.rejects(api.replica().read(), { reason: 'AlreadyExists' });
});
