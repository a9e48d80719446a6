import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonPatchOperation } from '../kube/api-client.ts';
import { secrets } from '../kube/resources.ts';
import type { KubeObject, Labels } from '../kube/types.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { type LabelChanges, type LabelPatchOptions, labelPatch } from './label-patch.ts';

const label = 'shard.example.dev/ring';
const ref = { namespace: 'default', name: 's' };

function start(labels: Labels | undefined, more: Partial<KubeObject['metadata']> = {}) {
  const api = new MemoryApi(new FakeClock());
  const object = api.seed(secrets, { metadata: { ...ref, ...(labels && { labels }), ...more } });
  const apply = async (
    changes: LabelChanges,
    options?: LabelPatchOptions,
  ): Promise<Labels | undefined | 'refused'> => {
    try {
      return (await api.patchMetadata(secrets, ref, labelPatch(object, changes, options))).metadata.labels;
    } catch {
      return 'refused';
    }
  };
  return { api, object, apply };
}

const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'Secret', name: 'o', uid });

test('labels are set and removed, and others stay', async () => {
  const { apply } = start({ a: '1', b: '2', [label]: 'x' });
  assert.deepEqual(await apply({ [label]: 'y', b: undefined, c: '3' }), { a: '1', [label]: 'y', c: '3' });
});

test('an object without labels gets its first, and one whose last goes has none', async () => {
  assert.deepEqual(await start(undefined).apply({ [label]: 'x', other: undefined }), { [label]: 'x' });
  assert.equal(await start({ [label]: 'x' }).apply({ [label]: undefined }), undefined);
});

test('a label that is another one by now keeps its value, and the patch has no effect', async () => {
  for (const now of ['z', '', undefined]) {
    const { api, apply } = start({ keep: '1', [label]: 'x' });
    api.label(secrets, ref, { [label]: now });
    assert.equal(await apply({ [label]: 'y' }), 'refused');
    assert.equal(api.peek(secrets, ref)?.metadata.labels?.[label], now);
  }
});

test('a label that was absent and is set by now keeps its value', async () => {
  for (const labels of [undefined, { keep: '1' }]) {
    const { api, apply } = start(labels);
    api.label(secrets, ref, { [label]: 'z' });
    assert.equal(await apply({ [label]: 'y' }), 'refused');
    assert.equal(api.peek(secrets, ref)?.metadata.labels?.[label], 'z');
  }
});

test('a label that is to be removed and already was is no failure, if that is what was read', async () => {
  const { apply } = start({ keep: '1' });
  assert.deepEqual(await apply({ [label]: undefined }), { keep: '1' });
});

test('other labels may change meanwhile', async () => {
  const { api, apply } = start({ a: '1', [label]: 'x' });
  api.label(secrets, ref, { a: '2', b: '3' });
  assert.deepEqual(await apply({ [label]: 'y' }), { a: '2', b: '3', [label]: 'y' });
});

test('an object that was deleted and created again under its name is another one', async () => {
  const { api, apply } = start({ [label]: 'x' });
  api.remove(secrets, ref);
  api.seed(secrets, { metadata: { ...ref, labels: { [label]: 'x' } } });
  assert.equal(await apply({ [label]: 'y' }), 'refused');
});

test('with the resourceVersion as precondition, any change in between refuses it', async () => {
  const { api, apply } = start({ a: '1', [label]: 'x' });
  api.label(secrets, ref, { a: '2' });
  assert.equal(await apply({ [label]: 'y' }, { resourceVersion: true }), 'refused');
  assert.deepEqual(await start({ [label]: 'x' }).apply({ [label]: 'y' }, { resourceVersion: true }), {
    [label]: 'y',
  });
});

test('with the controller as precondition, another controller, or none, refuses it', async () => {
  const references = [owner('uid-a'), { ...owner('uid-b'), controller: true }];
  const fresh = () => start({ [label]: 'x' }, { ownerReferences: structuredClone(references) });
  assert.deepEqual(await fresh().apply({ [label]: 'y' }, { controllerUid: true }), { [label]: 'y' });
  for (const now of [
    [owner('uid-a'), { ...owner('uid-c'), controller: true }],
    [owner('uid-a'), owner('uid-b')],
    [{ ...owner('uid-b'), controller: true }],
    [],
  ]) {
    const { api, apply } = fresh();
    api.change(secrets, ref, ({ metadata }) => {
      metadata.ownerReferences = now;
    });
    assert.equal(await apply({ [label]: 'y' }, { controllerUid: true }), 'refused');
  }
});

test('whatever happened to the labels in between, the patch has its whole effect or none', async () => {
  const value = fc.constantFrom('x', 'y', 'z');
  const some = fc.dictionary(fc.constantFrom('a', 'b', label), value, { maxKeys: 3 });
  const changes = fc.dictionary(fc.constantFrom('a', label), fc.option(value, { nil: undefined }), {
    minKeys: 1,
  });
  await fc.assert(
    fc.asyncProperty(some, some, changes, async (read, now, wanted) => {
      const { api, apply } = start(read);
      api.change(secrets, ref, ({ metadata }) => {
        metadata.labels = { ...now };
      });
      const result = await apply(wanted);
      const labels = api.peek(secrets, ref)?.metadata.labels ?? {};
      const asRead = Object.keys(wanted).every((key) => read[key] === now[key]);
      if (!asRead) assert.equal(result, 'refused');
      if (result === 'refused') {
        assert.deepEqual(labels, { ...now });
        return;
      }
      for (const [key, expected] of Object.entries(wanted)) assert.equal(labels[key], expected);
      for (const key of Object.keys(now)) if (!(key in wanted)) assert.equal(labels[key], now[key]);
    }),
  );
});

test('tests come before changes', () => {
  const object: KubeObject = { metadata: { ...ref, uid: 'u', labels: { a: '1' } } };
  const patch = labelPatch(object, { a: '2' }, { resourceVersion: true });
  assert(patch.type === 'json');
  const kinds = patch.operations.map(({ op }: JsonPatchOperation) => op);
  assert.deepEqual(kinds, ['test', 'test', 'test', 'add']);
});
