import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict } from '../kube/errors.ts';
import * as resources from '../kube/resources.ts';
import { defineResource, type KubeObject, objectKey } from '../kube/types.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { AppliedObjects } from './applied-objects.ts';
import { plainWriter } from './plain-writer.ts';
import { NotControlledError, reconcileClient } from './reconcile-client.ts';
import { controllerReference } from './references.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const configMaps = defineResource<ConfigMap>(resources.configMaps);
const ref = { namespace: 'default', name: 'page' };
const desired = (data: Record<string, string>, more: Partial<ConfigMap['metadata']> = {}): ConfigMap => ({
  metadata: { ...ref, ...more },
  data,
});

/** A process that applies; its cache holds the objects that were put there. */
function start() {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const cache = new Map<string, KubeObject>();
  const process = () =>
    reconcileClient({
      object: { metadata: { ...ref, uid: 'owner' } },
      client: api,
      writer: plainWriter(api),
      signal: new AbortController().signal,
      applied: new AppliedObjects('test'),
      cached: (_resource, key) => cache.get(key),
    });
  const sync = (): void => {
    const object = api.peek<ConfigMap>(configMaps, ref);
    if (object) cache.set(objectKey(ref), structuredClone(object));
  };
  const live = (): ConfigMap | undefined => api.peek<ConfigMap>(configMaps, ref);
  return { api, process, sync, live, cache };
}

test('what is missing is made; what is there as wanted is not written again, not even after a restart', async () => {
  const { api, process, sync, live } = start();
  await process().apply(configMaps, desired({ a: '1' }));
  assert.deepEqual(live()?.data, { a: '1' });
  sync();
  const writes = api.writes().length;
  for (const client of [process(), process()]) {
    await client.apply(configMaps, desired({ a: '1' }));
    await client.apply(configMaps, desired({ a: '1' }));
  }
  assert.equal(api.writes().length, writes);
});

test('nor when only others have added something', async () => {
  const { api, process, sync, live } = start();
  await process().apply(configMaps, desired({ a: '1' }));
  api.change<ConfigMap>(configMaps, ref, (object) => {
    object.data = { ...object.data, theirs: 'x' };
    object.metadata.labels = { theirs: 'x' };
  });
  sync();
  const writes = api.writes().length;
  await process().apply(configMaps, desired({ a: '1' }));
  assert.equal(api.writes().length, writes);
  assert.equal(live()?.data?.['theirs'], 'x');
});

test('drift is corrected, and what is no longer wanted is removed, also by another process', async () => {
  const { api, process, sync, live } = start();
  await process().apply(configMaps, desired({ a: '1', b: '2' }));
  api.change<ConfigMap>(configMaps, ref, (object) => {
    object.data = { ...object.data, a: 'drifted' };
  });
  sync();
  await process().apply(configMaps, desired({ a: '1', b: '2' }));
  assert.deepEqual(live()?.data, { a: '1', b: '2' });
  sync();
  await process().apply(configMaps, desired({ a: '1' }));
  assert.deepEqual(live()?.data, { a: '1' });
});

test('an empty value that the API server keeps is put back, and one that it leaves out is written once', async () => {
  const { api, process, sync, live } = start();
  // As for the field of a built-in kind.
  api.mutatingWebhook({
    name: 'leaves-out',
    rules: [{ operations: ['CREATE', 'UPDATE'], resource: configMaps }],
    handle: ({ object }) => ({
      allowed: true,
      patch: object && 'data' in object ? [{ op: 'remove', path: '/data/dropped' }] : [],
    }),
  });
  const mine = desired({ kept: '', dropped: '' }, { labels: {} });
  await process().apply(configMaps, mine);
  assert.deepEqual(live()?.data, { kept: '' });
  sync();
  const client = process();
  for (const version of ['one', 'two']) {
    api.label(configMaps, ref, { theirs: version });
    sync();
    await client.apply(configMaps, mine);
    assert.equal(api.writes().length, 2);
  }
  api.change<ConfigMap>(configMaps, ref, (object) => {
    object.data = {};
  });
  sync();
  await client.apply(configMaps, mine);
  assert.deepEqual(live()?.data, { kept: '' });
});

test('an apply that changed nothing, though it looked so, is not repeated', async () => {
  const { api, process, sync, cache } = start();
  const client = process();
  await client.apply(configMaps, desired({ a: '1' }));
  sync();
  const known = cache.get(objectKey(ref));
  // As if the API server wrote it in another way than it was given.
  assert(known && 'data' in known);
  known.data = { a: 'one' };
  const writes = api.writes().length;
  await client.apply(configMaps, desired({ a: '1' }));
  await client.apply(configMaps, desired({ a: '1' }));
  assert.equal(api.writes().length, writes + 1);
});

test('a cache that is behind the own write leads neither to a write nor to a conflict', async () => {
  const { api, process, sync, live } = start();
  const client = process();
  await client.apply(configMaps, desired({ a: '1' }));
  sync();
  await client.apply(configMaps, desired({ a: '2' }));
  const writes = api.writes().length;
  await client.apply(configMaps, desired({ a: '2' }));
  assert.equal(api.writes().length, writes);
  await client.apply(configMaps, desired({ a: '3' }));
  assert.deepEqual(live()?.data, { a: '3' });
});

test('what somebody else changed meanwhile is not written over', async () => {
  const { api, process, sync, live } = start();
  await process().apply(configMaps, desired({ a: '1' }));
  sync();
  api.change<ConfigMap>(configMaps, ref, (object) => {
    object.data = { ...object.data, theirs: 'x' };
  });
  await assert.rejects(process().apply(configMaps, desired({ a: '2' })), isConflict);
  assert.deepEqual(live()?.data, { a: '1', theirs: 'x' });
});

test('an object that another owner controls, or nobody, is not touched', async () => {
  const { api, process, live } = start();
  const owner = api.seed<KubeObject>(resources.secrets, { metadata: { ...ref, name: 'owner' } });
  const other = api.seed<KubeObject>(resources.secrets, { metadata: { ...ref, name: 'other' } });
  const mine = desired({ a: '1' }, { ownerReferences: [controllerReference(owner)] });
  api.seed<ConfigMap>(configMaps, desired({ theirs: 'x' }));
  await assert.rejects(process().apply(configMaps, mine), NotControlledError);
  api.remove(configMaps, ref);
  api.seed<ConfigMap>(
    configMaps,
    desired({ theirs: 'x' }, { ownerReferences: [controllerReference(other)] }),
  );
  await assert.rejects(process().apply(configMaps, mine), /Secret other controls it: not touched/);
  assert.deepEqual(live()?.data, { theirs: 'x' });
});

test('nor one that somebody creates between the look and the write', async () => {
  const { api, process, live } = start();
  const owner = api.seed<KubeObject>(resources.secrets, { metadata: { ...ref, name: 'owner' } });
  api.fault({
    on: ({ verb, resource }) => verb === 'patch' && resource === 'configmaps',
    meanwhile: () => void api.seed<ConfigMap>(configMaps, desired({ a: 'theirs' })),
  });
  const mine = desired({ a: '1' }, { ownerReferences: [controllerReference(owner)] });
  await assert.rejects(process().apply(configMaps, mine), isConflict);
  assert.deepEqual(live()?.data, { a: 'theirs' });
  await assert.rejects(process().apply(configMaps, mine), NotControlledError);
});

test('a status is written only when it differs, and only over the version that was read', async () => {
  const api = new MemoryApi(new FakeClock(), {
    resources: [
      {
        group: 'example.com',
        version: 'v1',
        resource: 'sites',
        kind: 'Site',
        namespaced: true,
        statusSubresource: true,
      },
    ],
  });
  type Site = KubeObject & { status?: { phase: string; theme?: string } };
  const sites = defineResource<Site>({
    group: 'example.com',
    version: 'v1',
    resource: 'sites',
    kind: 'Site',
    namespaced: true,
  });
  const object = await api.create<Site>(sites, { metadata: ref });
  const client = reconcileClient({
    object,
    client: api,
    writer: plainWriter(api),
    signal: new AbortController().signal,
    applied: new AppliedObjects('test'),
    cached: () => undefined,
  });
  const first = await client.setStatus(sites, object, { phase: 'Ready', theme: 'x' });
  const writes = api.writes().length;
  assert.equal(
    await client.setStatus(sites, object, { theme: 'x', phase: 'Ready' }),
    first,
    'seen by no cache yet',
  );
  assert.equal(api.writes().length, writes);
  await client.patch(sites, ref, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
  await client.setStatus(sites, object, { phase: 'Ready' });
  assert.deepEqual(api.peek<Site>(sites, ref)?.status, { phase: 'Ready' }, 'all of it is replaced');
  api.label(sites, ref, { changed: 'yes' });
  await assert.rejects(client.setStatus(sites, object, { phase: 'Error' }), isConflict);
});
