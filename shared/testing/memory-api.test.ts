import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchEvent } from '../kube/api-client.ts';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '../kube/errors.ts';
import { configMaps, secrets } from '../kube/resources.ts';
import type { KubeObject, Labels } from '../kube/types.ts';
import { connectionError } from './api-faults.ts';
import { FakeClock } from './fake-clock.ts';
import { labelSelector } from './label-selector.ts';
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

test('label selectors select as the API server does', () => {
  const labels = { a: '1', b: '2' };
  const rows: Array<[string, boolean]> = [
    ['', true],
    ['a', true],
    ['c', false],
    ['!c', true],
    ['!a', false],
    ['a=1', true],
    ['a==2', false],
    ['a!=2', true],
    ['c!=2', true],
    ['a in (1,3)', true],
    ['c in (1)', false],
    ['a notin (1,3)', false],
    ['c notin (1)', true],
    ['a,b notin (1,3),!c', true],
  ];
  for (const [selector, expected] of rows) assert.equal(labelSelector(selector)(labels), expected, selector);
  assert.equal(labelSelector('!a')(undefined), true);
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

test('pages belong to one snapshot', async () => {
  const { api } = start();
  for (const name of ['a', 'b', 'c']) api.seed(secrets, secret(name));
  const names: string[] = [];
  for await (const { items } of api.list(secrets, 'metadata', { limit: 2 })) {
    names.push(...items.map(({ metadata }) => metadata.name));
    if (names.length === 2) api.remove(secrets, ref('c'));
  }
  assert.deepEqual(names, ['a', 'b', 'c']);
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
