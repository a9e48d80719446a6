import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ListPage } from './api-client.ts';
import { KubeClient } from './client.ts';
import { configMaps, leases, namespaces } from './resources.ts';
import { answerJson, type ReceivedRequest, startTestServer } from './test-server.ts';
import { Transport } from './transport.ts';
import type { KubeObject } from './types.ts';

interface Fixture {
  client: KubeClient;
  received: ReceivedRequest[];
}

/** A client whose server gives these answers one after the other, the last one again and again. */
async function clientFor(t: TestContext, ...answers: unknown[]): Promise<Fixture> {
  const server = await startTestServer(t, (_, response) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (typeof answer === 'string') response.end(answer);
    else answerJson(response, answer);
  });
  const transport = new Transport(server.kubeConfig);
  t.after(() => transport.close());
  return { client: new KubeClient(transport), received: server.received };
}

const metadataOnlyStream =
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const ref = { namespace: 'a', name: 'b' };
const object = {
  kind: 'ConfigMap',
  metadata: { name: 'b', namespace: 'a', managedFields: [{}] },
  data: { k: 'v' },
};

const eventLine = (type: string, resourceVersion: string): string =>
  `${JSON.stringify({ type, object: { metadata: { ...object.metadata, resourceVersion } } })}\n`;

test('paths say group, version, namespace and name', async (t) => {
  const { client, received } = await clientFor(t, object);
  await client.get(configMaps, ref);
  await client.get(leases, ref);
  await client.get(namespaces, { name: 'a' });
  await client.get(configMaps, { namespace: 'a', name: 'x/../y' });
  await client.listPage(leases, 'full', { namespace: 'a' });
  await client.listPage(leases, 'full', {});
  assert.deepEqual(
    received.map(({ path }) => path),
    [
      '/api/v1/namespaces/a/configmaps/b',
      '/apis/coordination.k8s.io/v1/namespaces/a/leases/b',
      '/api/v1/namespaces/a',
      '/api/v1/namespaces/a/configmaps/x%2F..%2Fy',
      '/apis/coordination.k8s.io/v1/namespaces/a/leases',
      '/apis/coordination.k8s.io/v1/leases',
    ],
  );
});

test('objects that are read have their kind and no managedFields', async (t) => {
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
  const { client, received } = await clientFor(t, object, partial);
  assert.deepEqual(await client.get(configMaps, ref), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'b', namespace: 'a' },
    data: { k: 'v' },
  });
  assert.deepEqual(await client.getMetadata(configMaps, ref), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'b', namespace: 'a' },
  });
  assert.deepEqual(
    received.map(({ headers }) => headers.accept),
    ['application/json', metadataOnly],
  );
});

test('a list goes through all pages, and an empty one may have items: null', async (t) => {
  const { client, received } = await clientFor(
    t,
    { metadata: { resourceVersion: '5', continue: 'more' }, items: [object] },
    { metadata: { resourceVersion: '5', continue: '' }, items: [object, object] },
    { metadata: { resourceVersion: '6' }, items: null },
  );
  const pages: ListPage<KubeObject>[] = [];
  const options = { labelSelector: '!x,y in (a,b)', fieldSelector: 'metadata.name=q' };
  for await (const page of client.list(configMaps, 'metadata', options)) pages.push(page);
  assert.deepEqual(
    pages.map(({ items, resourceVersion }) => [items.length, resourceVersion]),
    [
      [1, '5'],
      [2, '5'],
    ],
  );
  assert.deepEqual(
    received.map(({ query }) => [query.get('limit'), query.get('continue'), query.get('labelSelector')]),
    [
      ['50', null, '!x,y in (a,b)'],
      ['200', 'more', '!x,y in (a,b)'],
    ],
  );
  assert.equal(received[0]?.query.get('fieldSelector'), 'metadata.name=q');
  assert.equal(
    received[0]?.headers.accept?.includes('as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'),
    true,
  );
  const empty = await client.listPage(configMaps, 'metadata', { limit: 1 });
  assert.deepEqual(empty, { items: [], resourceVersion: '6', continue: undefined });
});

test('the kinds of patch have their content types', async (t) => {
  const { client, received } = await clientFor(t, object);
  await client.patch(configMaps, ref, {
    type: 'json',
    operations: [{ op: 'remove', path: '/metadata/labels/a~1b' }],
  });
  await client.patchMetadata(configMaps, ref, { type: 'merge', body: { metadata: { labels: { a: null } } } });
  await client.patchStatus(configMaps, ref, {
    type: 'apply',
    fieldManager: 'me',
    force: true,
    body: { metadata: { name: 'b' } },
  });
  assert.deepEqual(
    received.map(({ headers, body }) => [headers['content-type'], JSON.parse(body)]),
    [
      ['application/json-patch+json', [{ op: 'remove', path: '/metadata/labels/a~1b' }]],
      ['application/merge-patch+json', { metadata: { labels: { a: null } } }],
      ['application/apply-patch+yaml', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } }],
    ],
  );
  assert.equal(received[1]?.headers.accept, metadataOnly);
  assert.equal(received[2]?.path, '/api/v1/namespaces/a/configmaps/b/status');
  assert.deepEqual([received[2]?.query.get('fieldManager'), received[2]?.query.get('force')], ['me', 'true']);
});

test('create and update say kind and version, whatever the object says', async (t) => {
  const { client, received } = await clientFor(t, object);
  const lease = { metadata: { name: 'b', namespace: 'a', resourceVersion: '7' } };
  await client.create(leases, lease);
  await client.update(leases, lease);
  await client.updateStatus(leases, lease);
  assert.deepEqual(
    received.map(({ method, path, body }) => [method, path, JSON.parse(body)]),
    [
      ['POST', '/apis/coordination.k8s.io/v1/namespaces/a/leases'],
      ['PUT', '/apis/coordination.k8s.io/v1/namespaces/a/leases/b'],
      ['PUT', '/apis/coordination.k8s.io/v1/namespaces/a/leases/b/status'],
    ].map((row) => [...row, { ...lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }]),
  );
});

test('a delete carries its preconditions', async (t) => {
  const { client, received } = await clientFor(t, {});
  await client.delete(configMaps, ref, { uid: 'u', resourceVersion: '7' });
  await client.delete(configMaps, ref);
  assert.deepEqual(
    received.map(({ body }) => JSON.parse(body).preconditions),
    [{ uid: 'u', resourceVersion: '7' }, {}],
  );
});

test('a watch asks for bookmarks, and yields events', async (t) => {
  const { client, received } = await clientFor(t, eventLine('ADDED', '1') + eventLine('BOOKMARK', '2'));
  const events: unknown[] = [];
  let opened = 0;
  const signal = new AbortController().signal;
  const options = { signal, timeoutSeconds: 300, namespace: 'a', onOpen: () => (opened += 1) };
  for await (const event of client.watch(configMaps, 'metadata', { ...options, sendInitialEvents: true })) {
    events.push(event);
  }
  for await (const _ of client.watch(configMaps, 'full', { ...options, resourceVersion: '9' }));
  assert.deepEqual(events, [
    {
      type: 'ADDED',
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'b', namespace: 'a', resourceVersion: '1' },
      },
    },
    { type: 'BOOKMARK', resourceVersion: '2', initialEventsEnd: false },
  ]);
  assert.equal(opened, 2);
  assert.deepEqual(Object.fromEntries(received[0]?.query ?? []), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '300',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
  });
  assert.deepEqual(Object.fromEntries(received[1]?.query ?? []), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '300',
    resourceVersion: '9',
  });
  assert.deepEqual(
    received.map(({ headers }) => headers.accept),
    [metadataOnlyStream, 'application/json'],
  );
});
