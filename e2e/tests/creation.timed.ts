import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { waitFor } from '../harness/wait-for.ts';
import { secretNamed } from '../main-job/cluster/objects.ts';
import { labelOf, TestRing } from './test-ring.ts';

interface WithData extends KubeObject {
  data?: Record<string, string>;
}

/** What SHA-256 gives for `new`. */
const sha256OfNew = '11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437';

async function labelled(ring: TestRing, name: string): Promise<string> {
  return waitFor(
    `a label on ${name}`,
    async () => labelOf(await ring.client.getMetadata(secrets, { namespace: ring.namespace, name })),
    {
      timeoutMs: 1_000,
      everyMs: 10,
    },
  );
}

/** Watches for a ConfigMap that isn't there yet: `seen` resolves to it as it was when it was created. */
async function watchCreation(
  { client, namespace }: TestRing,
  name: string,
): Promise<{ seen: Promise<KubeObject> }> {
  const opened = Promise.withResolvers<void>();
  const events = client.watch(configMaps, 'metadata', {
    signal: AbortSignal.timeout(10_000),
    namespace,
    fieldSelector: `metadata.name=${name}`,
    timeoutSeconds: 60,
    onOpen: opened.resolve,
  });
  const first = async (): Promise<KubeObject> => {
    for await (const event of events) if (event.type === 'ADDED') return event.object;
    throw new Error(`the watch ended before ${name} was created`);
  };
  const seen = first();
  await Promise.race([opened.promise, seen]);
  return { seen };
}

test('with the webhook, the answer to the creation has the label already', async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 10, webhook: true });
  const { client, namespace } = ring;

  const { seen } = await watchCreation(ring, 'checksums-first');
  const created = await client.create(secrets, secretNamed(namespace, 'first'));
  const shard = labelOf(created);
  assert.match(shard ?? '', /^checksum-[12]$/);

  await t.test('its ConfigMap has the same label from the start', async () => {
    assert.equal(labelOf(await seen), shard);
  });

  await t.test('the ConfigMap follows the data', async () => {
    const body = { stringData: { user: 'new' } };
    await client.patch(secrets, { namespace, name: 'first' }, { type: 'merge', body });
    await waitFor('the new checksum', async () => {
      const { data } = await client.get<WithData>(configMaps, { namespace, name: 'checksums-first' });
      return data?.['user'] === sha256OfNew;
    });
  });

  await t.test('a deleted ConfigMap comes back', async () => {
    await client.delete(configMaps, { namespace, name: 'checksums-first' });
    await waitFor('the ConfigMap', async () => {
      const { items } = await client.listPage(configMaps, 'metadata', {
        namespace,
        labelSelector: 'secret=first',
      });
      return items.some((object) => labelOf(object) === shard);
    });
  });

  await t.test('an object with a generated name has its label within a second', async () => {
    const generated = {
      ...secretNamed(namespace, ''),
      metadata: { namespace, name: '', generateName: 'generated-' },
    };
    const { metadata } = await client.create(secrets, generated);
    await labelled(ring, metadata.name);
  });

  await t.test('a user’s replace without labels keeps the shard', async () => {
    // The sharder may take labels away, so the user has to be another one.
    const kubeconfig = await ring.controlPlane.userKubeconfig('alice', ['system:masters']);
    const transport = new Transport(loadKubeConfig({ kubeconfig }));
    try {
      const replaced = await new KubeClient(transport).update(secrets, secretNamed(namespace, 'first'));
      assert.equal(labelOf(replaced), shard);
    } finally {
      await transport.close();
    }
  });

  await t.test('objects of other namespaces are left alone', async () => {
    const other = await client.create(secrets, secretNamed('default', 'not-in-the-ring'));
    await labelled(ring, 'first');
    assert.equal(labelOf(other), undefined);
    const read = await client.getMetadata(secrets, { namespace: 'default', name: 'not-in-the-ring' });
    assert.equal(labelOf(read), undefined);
  });
});

test('without the webhook, objects have their label within a second', async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 10, webhook: false });
  const { client, namespace } = ring;

  const created = await client.create(secrets, secretNamed(namespace, 'first'));
  assert.equal(labelOf(created), undefined);
  const shard = await labelled(ring, 'first');

  await t.test('a controlled object that has none gets its owner’s', async () => {
    await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        namespace,
        name: 'made-by-hand',
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Secret',
            name: 'first',
            uid: created.metadata.uid ?? '',
            controller: true,
          },
        ],
      },
    });
    await waitFor(
      'its label',
      async () =>
        labelOf(await client.getMetadata(configMaps, { namespace, name: 'made-by-hand' })) === shard,
    );
  });

  await t.test('a label that a user took away comes back', async () => {
    const { metadata } = await client.getMetadata(secrets, { namespace, name: 'first' });
    const labels = Object.fromEntries(Object.keys(metadata.labels ?? {}).map((name) => [name, null]));
    await client.patch(
      secrets,
      { namespace, name: 'first' },
      { type: 'merge', body: { metadata: { labels } } },
    );
    await labelled(ring, 'first');
  });
});
