import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchEvent } from '../kube/api-client.ts';
import { isAlreadyExists, isConflict, isGone, isInvalid, isNotFound } from '../kube/errors.ts';
import { configMaps, secrets } from '../kube/resources.ts';
import type { KubeObject, Labels } from '../kube/types.ts';
import { connectionError } from './api-faults.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryApi } from './memory-api.ts';

const secret = (name: string, labels?: Labels): KubeObject => ({
  metadata: { namespace: 'default', name, ...(labels && { labels }) },
});
const ref = (name: string) => ({ namespace: 'default', name });
const start = () => {
  const clock = new FakeClock();
  return { clock, api: new MemoryApi(clock) };
};

const labelledIf = (value: unknown) => ({
  type: 'json' as const,
  operations: [
    { op: 'add' as const, path: '/metadata/labels/b', value: '2' },
    { op: 'test' as const, path: '/metadata/labels/c~1d', value },
  ],
});

test('a stale update conflicts, a write that changes nothing has no new version', async () => {
  const { api } = start();
  const created = await api.create(secrets, secret('s'));
  await assert.rejects(api.create(secrets, secret('s')), isAlreadyExists);
  const changed = await api.update(secrets, {
    ...created,
    metadata: { ...created.metadata, labels: { a: '1' } },
  });
  assert.notEqual(changed.metadata.resourceVersion, created.metadata.resourceVersion);
  await assert.rejects(api.update(secrets, created), isConflict);
  const same = await api.update(secrets, changed);
  assert.equal(same.metadata.resourceVersion, changed.metadata.resourceVersion);
  await assert.rejects(api.get(secrets, ref('none')), isNotFound);
  await assert.rejects(api.delete(secrets, ref('s'), { uid: 'other' }), isConflict);
  await api.delete(secrets, ref('s'), { uid: created.metadata.uid });
  await assert.rejects(api.update(secrets, changed), isNotFound);
});

test('a JSON patch is applied wholly or not at all', async () => {
  const { api } = start();
  await api.create(secrets, secret('s', { a: '1' }));
  await assert.rejects(api.patchMetadata(secrets, ref('s'), labelledIf('x')), isInvalid);
  assert.deepEqual(api.peek(secrets, ref('s'))?.metadata.labels, { a: '1' });
  const { metadata } = await api.patchMetadata(secrets, ref('s'), labelledIf(null));
  assert.deepEqual(metadata.labels, { a: '1', b: '2' });
});

test('pages belong to one snapshot, until that is forgotten', async () => {
  const { api } = start();
  for (const name of ['a', 'b', 'c']) api.seed(secrets, secret(name));
  const names: string[] = [];
  for await (const { items } of api.list(secrets, 'metadata', { limit: 2 })) {
    names.push(...items.map(({ metadata }) => metadata.name));
    if (names.length === 2) api.remove(secrets, ref('c'));
  }
  assert.deepEqual(names, ['a', 'b', 'c']);
  const { continue: continueToken } = await api.listPage(secrets, 'metadata', { limit: 1 });
  api.compact();
  await assert.rejects(api.listPage(secrets, 'metadata', { limit: 1, continueToken }), isGone);
  await assert.rejects(api.listPage(secrets, 'metadata', { continueToken: 'x' }), { status: 400 });
});

test('finalizers hold an object until the last of them is gone', async () => {
  const { clock, api } = start();
  const finalizers = ['example.com/one'];
  await api.create(secrets, { metadata: { ...ref('s'), finalizers } });
  await api.delete(secrets, ref('s'));
  const marked = api.peek<KubeObject>(secrets, ref('s'));
  assert.equal(marked?.metadata.deletionTimestamp, '2026-01-02T03:04:05Z');
  await clock.advance(1_000);
  await api.delete(secrets, ref('s'));
  assert.deepEqual(api.peek(secrets, ref('s')), marked, 'a second time changes nothing');
  const more = { metadata: { finalizers: [...finalizers, 'example.com/two'] } };
  await assert.rejects(api.patch(secrets, ref('s'), { type: 'merge', body: more }), isInvalid);
  await api.patch(secrets, ref('s'), { type: 'merge', body: { metadata: { finalizers: null } } });
  assert.equal(api.peek(secrets, ref('s')), undefined);
});

const widgets = {
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
type Widget = KubeObject & { spec?: { size: number }; status?: { size: number } };

test('a custom resource is served once it is registered', async () => {
  const { api } = start();
  await assert.rejects(api.get(widgets, ref('w')), {
    message: 'the server could not find the requested resource',
  });
  await assert.rejects(api.mapper.resource('example.com', 'widgets'), { code: 'KUBE_UNKNOWN_RESOURCE' });
  api.register({ ...widgets, statusSubresource: true });
  assert.deepEqual(await api.mapper.resource('example.com', 'widgets'), widgets);
  const widget: Widget = { metadata: ref('w'), spec: { size: 1 }, status: { size: 1 } };
  const created = await api.create(widgets, widget);
  assert.equal(created.status, undefined);
  assert.equal(created.metadata.generation, 1);
  await assert.rejects(
    api.update(widgets, widget),
    /resourceVersion: Invalid value: 0: must be specified for an update/,
  );
  const done = await api.updateStatus<Widget>(widgets, {
    ...created,
    spec: { size: 9 },
    status: { size: 1 },
  });
  assert.deepEqual([done.spec, done.status, done.metadata.generation], [{ size: 1 }, { size: 1 }, 1]);
  const grown = await api.update<Widget>(widgets, { ...done, spec: { size: 2 }, status: { size: 2 } });
  assert.deepEqual([grown.spec, grown.status, grown.metadata.generation], [{ size: 2 }, { size: 1 }, 2]);
});

test('fields that nobody owns belong to whoever came before the first apply', async () => {
  const { api } = start();
  await api.create(configMaps, { metadata: ref('s') });
  await api.patch(configMaps, ref('s'), { type: 'merge', body: { metadata: { labels: { x: '1' } } } });
  const apply = (labels: Labels) =>
    api.patch<KubeObject>(configMaps, ref('s'), {
      type: 'apply',
      fieldManager: 'one',
      body: secret('s', labels),
    });
  await assert.rejects(
    apply({ x: '2' }),
    /conflict with "before-first-apply" using v1: \.metadata\.labels\.x$/,
  );
  assert.deepEqual((await apply({ y: '1' })).metadata.labels, { x: '1', y: '1' });
});

test('clients have their own name and distance', async () => {
  const { clock, api } = start();
  const far = api.client({ user: 'far', latencyMs: 100 });
  const creating = far.create(secrets, secret('s'));
  await clock.advance(99);
  assert.deepEqual(api.all(secrets), []);
  await clock.advance(1);
  await creating;
  api.fault({ on: ({ user }) => user === 'far', delayMs: 0, error: connectionError() });
  await assert.rejects(far.get(secrets, ref('s')), /connection reset/);
  await api.get(secrets, ref('s'));
});

test('an object that comes out of a test’s hand is its own', async () => {
  const { api } = start();
  const seeded = api.seed(secrets, secret('s', { a: '1' }));
  for (const object of [seeded, api.peek<KubeObject>(secrets, ref('s')), await api.get(secrets, ref('s'))]) {
    Object.assign(object?.metadata.labels ?? {}, { a: '2' });
  }
  assert.deepEqual(api.peek<KubeObject>(secrets, ref('s'))?.metadata.labels, { a: '1' });
});

test('a watch sees an object that stops matching as deleted, with its old labels and the new version', async () => {
  const { clock, api } = start();
  api.seed(secrets, secret('s', { a: '1' }));
  api.seed(configMaps, secret('s', { a: '1' }));
  const stop = new AbortController();
  const events: Array<WatchEvent<KubeObject>> = [];
  const options = { signal: stop.signal, labelSelector: 'a=1', sendInitialEvents: true, timeoutSeconds: 300 };
  const watching = (async () => {
    for await (const event of api.watch(secrets, 'metadata', options)) events.push(event);
  })();
  await clock.advance(0);
  api.label(secrets, ref('s'), { a: '2' });
  api.bookmark();
  await clock.advance(0);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['ADDED', 'BOOKMARK', 'DELETED', 'BOOKMARK'],
  );
  const deleted = events[2];
  assert(deleted?.type === 'DELETED');
  assert.deepEqual(deleted.object.metadata.labels, { a: '1' });
  assert.equal(
    deleted.object.metadata.resourceVersion,
    api.peek(secrets, ref('s'))?.metadata.resourceVersion,
  );
  api.breakWatches();
  await assert.rejects(watching, /connection reset/);
});

test('a fault delays a request, keeps it from its effect, or only its answer', async () => {
  const { clock, api } = start();
  api.fault({ on: ({ verb }) => verb === 'create', error: connectionError() });
  await assert.rejects(api.create(secrets, secret('s')), /connection reset/);
  assert.equal(api.all(secrets).length, 0);
  api.fault({ on: ({ verb }) => verb === 'create', error: connectionError(), effect: true });
  await assert.rejects(api.create(secrets, secret('s')), /connection reset/);
  assert.equal(api.all(secrets).length, 1);
  api.fault({ on: ({ verb }) => verb === 'delete', delayMs: 500 });
  const deleting = api.delete(secrets, ref('s'));
  await clock.advance(499);
  assert.equal(api.all(secrets).length, 1);
  await clock.advance(1);
  await deleting;
  assert.equal(api.all(secrets).length, 0);
});
