import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectMeta } from '@controller-sharding/shared/kube/types.ts';
import { checksumsOf, type Secret } from './checksums.ts';

const secret = (data: Secret['data'], metadata: Partial<ObjectMeta> = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'database', namespace: 'shop', uid: 'uid-1', ...metadata },
  ...(data === undefined ? {} : { data }),
});

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');

test('the ConfigMap has the checksum of each decoded value, and belongs to the Secret', () => {
  assert.deepEqual(checksumsOf(secret({ password: base64('abc') }, { labels: { app: 'shop' } })), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'checksums-database',
      namespace: 'shop',
      labels: { app: 'shop', secret: 'database' },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          name: 'database',
          uid: 'uid-1',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    data: { password: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
  });
});

const digests: [string, string | null, string][] = [
  ['an empty value', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['a null value', null, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [
    'bytes that are no text',
    base64(new Uint8Array([0xff, 0x00])),
    'ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f',
  ],
];
for (const [what, value, digest] of digests) {
  test(`the checksum of ${what}`, () => {
    assert.deepEqual(checksumsOf(secret({ key: value })).data, { key: digest });
  });
}

test('a Secret without data has an empty ConfigMap', () => {
  assert.deepEqual(checksumsOf(secret(undefined)).data, {});
});

test('labels that give the Secret to a shard are not copied, nor are its annotations', () => {
  const { metadata } = checksumsOf(
    secret(undefined, {
      labels: {
        'shard.alpha.sharding.timebertt.dev/checksum-controller': 'shard-1',
        'drain.alpha.sharding.timebertt.dev/checksum-controller': 'shard-2',
        'pin.alpha.sharding.timebertt.dev/checksum-controller': 'shard-3',
        'shard.alpha.sharding.timebertt.dev/another-ring': 'x',
        'example.com/shard': 'kept',
        secret: 'of another meaning',
      },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"key":"c2VjcmV0"}}' },
    }),
  );
  assert.deepEqual(metadata.labels, { 'example.com/shard': 'kept', secret: 'database' });
  assert.equal(metadata.annotations, undefined);
});

test('names that are too long are shortened to valid ones that stay apart', () => {
  const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  for (const length of [63, 64, 243, 244, 253]) {
    // Dots everywhere, so that some name is cut right after one.
    for (const pattern of ['a.', 'ab.', 'ab-']) {
      const name = (end: string) => pattern.repeat(253).slice(0, length - 1) + end;
      const [one, other] = [name('x'), name('y')].map((each) => checksumsOf(secret({}, { name: each })));
      for (const made of [one, other]) {
        assert.match(made?.metadata.name ?? '', objectName);
        assert.ok((made?.metadata.name.length ?? 0) <= 253);
        assert.match(made?.metadata.labels?.['secret'] ?? '', /^[a-z0-9][-a-z0-9.]{0,61}[a-z0-9]$/);
      }
      assert.notEqual(one?.metadata.name, other?.metadata.name);
      assert.notEqual(one?.metadata.labels?.['secret'], other?.metadata.labels?.['secret']);
      assert.equal(one?.metadata.ownerReferences?.[0]?.name, name('x'));
      assert.equal(one?.metadata.labels?.['secret'] === name('x'), length <= 63);
      assert.equal(one?.metadata.name === `checksums-${name('x')}`, length <= 243);
    }
  }
});
