import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, namespaces, secrets } from '../kube/resources.ts';
import type { KubeObject, OwnerReference } from '../kube/types.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryApi } from './memory-api.ts';

const at = (name: string) => ({ namespace: 'default', name });

function start() {
  const clock = new FakeClock();
  const api = new MemoryApi(clock, { garbageCollectionMs: 500, checkNamespaces: true });
  const owner = api.seed<KubeObject>(secrets, { metadata: at('owner') });
  const reference = (more: Partial<OwnerReference> = {}): OwnerReference => {
    return { apiVersion: 'v1', kind: 'Secret', name: 'owner', uid: owner.metadata.uid ?? '', ...more };
  };
  const child = (name: string, ownerReferences: OwnerReference[], more: object = {}) =>
    api.seed(configMaps, { metadata: { ...at(name), ownerReferences, ...more } });
  const children = () => api.all<KubeObject>(configMaps).map(({ metadata }) => metadata.name);
  return { clock, api, reference, child, children };
}

test('an object goes when all of its owners are gone, a while later', async () => {
  const { clock, api, reference, child, children } = start();
  child('only', [reference()]);
  const other = api.seed<KubeObject>(secrets, { metadata: at('other') });
  child('two', [reference(), reference({ name: 'other', uid: other.metadata.uid ?? '' })]);
  child('namesake', [reference({ uid: 'of-a-predecessor' })]);
  child('elsewhere', [reference({ kind: 'Unknown' })]);
  await clock.advance(1_000);
  assert.deepEqual(children(), ['elsewhere', 'only', 'two']);
  await api.delete(secrets, at('owner'));
  await clock.advance(499);
  assert(children().includes('only'));
  await clock.advance(1);
  assert.deepEqual(children(), ['elsewhere', 'two']);
  assert.deepEqual(
    api.peek<KubeObject>(configMaps, at('two'))?.metadata.ownerReferences?.map(({ name }) => name),
    ['other'],
  );
});

test('in the foreground the owner goes after those that block it', async () => {
  const { clock, api, reference, child } = start();
  child('blocking', [reference({ blockOwnerDeletion: true })], { finalizers: ['example.com/hold'] });
  child('other', [reference()], { finalizers: ['example.com/hold'] });
  await api.delete(secrets, at('owner'), { propagationPolicy: 'Foreground' });
  await clock.advance(5_000);
  assert.deepEqual(api.peek<KubeObject>(secrets, at('owner'))?.metadata.finalizers, ['foregroundDeletion']);
  assert(api.peek<KubeObject>(configMaps, at('other'))?.metadata.deletionTimestamp);
  api.change(configMaps, at('blocking'), ({ metadata }) => delete metadata.finalizers);
  await clock.advance(1_000);
  assert.equal(api.peek(secrets, at('owner')), undefined);
  assert(api.peek(configMaps, at('other')));
});

test('orphans stay, and no longer name their owner', async () => {
  const { clock, api, reference, child } = start();
  child('orphan', [reference()]);
  await api.delete(secrets, at('owner'), { propagationPolicy: 'Orphan' });
  await clock.advance(1_000);
  assert.equal(api.peek(secrets, at('owner')), undefined);
  assert.equal(api.peek<KubeObject>(configMaps, at('orphan'))?.metadata.ownerReferences, undefined);
});

test('a deleted namespace takes nothing new, and goes when it is empty', async () => {
  const { clock, api, child } = start();
  child('held', [], { finalizers: ['example.com/hold'] });
  await api.delete(namespaces, { name: 'default' });
  await clock.advance(2_000);
  await assert.rejects(api.create(configMaps, { metadata: at('new') }), { status: 403 });
  assert.deepEqual(api.all(secrets), []);
  assert(api.peek(namespaces, { name: 'default' }));
  api.change(configMaps, at('held'), ({ metadata }) => delete metadata.finalizers);
  await clock.advance(2_000);
  assert.equal(api.peek(namespaces, { name: 'default' }), undefined);
  await assert.rejects(api.create(configMaps, { metadata: at('new') }), { status: 404 });
});
