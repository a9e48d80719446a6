import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, namespaces, secrets } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import type { AdmissionRequest, MutatingWebhook } from './admission.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryApi } from './memory-api.ts';

const at = (name: string, namespace = 'default') => ({ namespace, name });
const labelled = (value: string) => ({
  allowed: true,
  patch: [{ op: 'add' as const, path: '/metadata/labels', value: { by: value } }],
});

function start(webhook: Partial<MutatingWebhook> & Pick<MutatingWebhook, 'handle'>) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const remove = api.mutatingWebhook({
    name: 'test.example.com',
    rules: [{ operations: ['CREATE', 'UPDATE', 'DELETE'], resource: configMaps }],
    ...webhook,
  });
  return { clock, api, remove };
}

test('a webhook is asked before an object is written, and changes it', async () => {
  const asked: AdmissionRequest[] = [];
  const { api, remove } = start({ handle: (request) => (asked.push(request), labelled(request.operation)) });
  const client = api.client({ user: 'alice', groups: ['shards'] });
  const created = await client.create<KubeObject>(configMaps, {
    metadata: { namespace: 'default', name: '', generateName: 'a-' },
  });
  assert.deepEqual(created.metadata.labels, { by: 'CREATE' });
  const { metadata } = await client.patch<KubeObject>(configMaps, created.metadata, {
    type: 'merge',
    body: { data: { x: '1' } },
  });
  assert.deepEqual(metadata.labels, { by: 'UPDATE' });
  await client.delete(configMaps, metadata);
  await client.create(secrets, { metadata: at('not-asked') });
  assert.deepEqual(
    asked.map(({ operation, name, namespace, userInfo }) => [operation, name, namespace, userInfo.username]),
    [
      ['CREATE', '', 'default', 'alice'],
      ['UPDATE', metadata.name, 'default', 'alice'],
      ['DELETE', metadata.name, 'default', 'alice'],
    ],
  );
  assert.equal(asked[0]?.oldObject, null);
  assert.equal(asked[2]?.object, null);
  remove();
  await client.create(configMaps, { metadata: at('after') });
  assert.equal(asked.length, 3);
});

test('a rejection reaches the sender', async () => {
  const { api } = start({ handle: () => ({ allowed: false, status: { code: 403, message: 'not today' } }) });
  await assert.rejects(api.create(configMaps, { metadata: at('a') }), {
    status: 403,
    message: 'admission webhook "test.example.com" denied the request: not today',
  });
  assert.deepEqual(api.all(configMaps), []);
});

test('a webhook that fails or hangs fails the request, or is ignored', async () => {
  const broken = { handle: () => Promise.reject(new Error('no route')) };
  await assert.rejects(start(broken).api.create(configMaps, { metadata: at('a') }), {
    status: 500,
    message: /failed calling webhook "test.example.com": failed to call webhook: no route$/,
  });
  await start({ ...broken, failurePolicy: 'Ignore' }).api.create(configMaps, { metadata: at('a') });
  const { api, clock } = start({ handle: () => new Promise(() => {}), timeoutSeconds: 5 });
  const creating = assert.rejects(api.create(configMaps, { metadata: at('a') }), /deadline exceeded/);
  await clock.advance(5_000);
  await creating;
});

test('selectors of objects and namespaces choose what a webhook is asked about', async () => {
  const { api } = start({
    handle: () => labelled('webhook'),
    objectSelector: { matchExpressions: [{ key: 'by', operator: 'DoesNotExist' }] },
    namespaceSelector: { matchLabels: { project: 'true' } },
  });
  api.seed(namespaces, { metadata: { name: 'in', labels: { project: 'true' } } });
  const by = async (namespace: string, name: string, labels: Record<string, string> = {}) => {
    const object: KubeObject = { metadata: { ...at(name, namespace), labels } };
    return (await api.create(configMaps, object)).metadata.labels?.['by'];
  };
  assert.equal(await by('in', 'a'), 'webhook');
  assert.equal(await by('in', 'b', { by: 'user' }), 'user');
  assert.equal(await by('out', 'a'), undefined);
});

test('a patch is made again when its object changed while the webhook was asked', async () => {
  const { api } = start({
    handle: ({ object }) => {
      if (object?.metadata.labels?.['late'] === undefined) api.label(configMaps, at('a'), { late: 'yes' });
      return { allowed: true };
    },
  });
  api.seed(configMaps, { metadata: at('a') });
  await api.patch(configMaps, at('a'), { type: 'merge', body: { metadata: { labels: { x: '1' } } } });
  assert.deepEqual(api.peek<KubeObject>(configMaps, at('a'))?.metadata.labels, { late: 'yes', x: '1' });
});

test('a webhook that wants it is asked again after a later one changed the object', async () => {
  const calls: string[] = [];
  const { api } = start({
    reinvocationPolicy: 'IfNeeded',
    handle: () => (calls.push('first'), { allowed: true }),
  });
  const rules = [{ operations: ['CREATE' as const], resource: configMaps }];
  api.mutatingWebhook({ name: 'second', rules, handle: () => (calls.push('second'), labelled('second')) });
  await api.create(configMaps, { metadata: at('a') });
  assert.deepEqual(calls, ['first', 'second', 'first']);
});
