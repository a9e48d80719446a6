import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict } from '../kube/errors.ts';
import { configMaps } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { setCondition } from './conditions.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizers.ts';
import { plainWriter } from './plain-writer.ts';
import { parseQuantity } from './quantity.ts';
import { controllerReference } from './references.ts';

const ready = { type: 'Ready', status: 'True', reason: 'Done', message: '' } as const;
const at = (second: number): Date => new Date(`2026-01-02T03:04:0${second}.123Z`);

test('a condition keeps its time until its status changes, and all of it until anything changes', () => {
  const other = { ...ready, type: 'Other', lastTransitionTime: 'x' };
  const first = setCondition([other], ready, at(1));
  assert.deepEqual(first, [other, { ...ready, lastTransitionTime: '2026-01-02T03:04:01.123000Z' }]);
  assert.equal(setCondition(first, ready, at(2)), first);
  const told = setCondition(first, { ...ready, message: 'well done' }, at(3));
  assert.equal(told[1]?.lastTransitionTime, first[1]?.lastTransitionTime);
  assert.equal(told[1]?.message, 'well done');
  const failed = setCondition(told, { ...ready, status: 'False' }, at(4));
  assert.equal(failed[1]?.lastTransitionTime, '2026-01-02T03:04:04.123000Z');
  assert.equal(setCondition(undefined, ready, at(5)).length, 1);
});

test('a finalizer is added and removed once, beside those of others', async () => {
  const api = new MemoryApi(new FakeClock());
  const client = plainWriter(api);
  const ref = { namespace: 'default', name: 'a' };
  const old = api.seed<KubeObject>(configMaps, { metadata: { ...ref, finalizers: ['example.com/theirs'] } });
  const added = await addFinalizer(client, configMaps, old, 'example.com/mine');
  assert.deepEqual(added.metadata.finalizers, ['example.com/theirs', 'example.com/mine']);
  assert.equal(hasFinalizer(added, 'example.com/mine'), true);
  assert.equal(await addFinalizer(client, configMaps, added, 'example.com/mine'), added);
  assert.equal(api.writes().length, 1);
  await assert.rejects(addFinalizer(client, configMaps, old, 'example.com/other'), isConflict);
  await removeFinalizer(client, configMaps, added, 'example.com/mine');
  const live = api.peek<KubeObject>(configMaps, ref);
  assert(live);
  assert.deepEqual(live.metadata.finalizers, ['example.com/theirs']);
  const writes = api.writes().length;
  await removeFinalizer(client, configMaps, live, 'example.com/mine');
  assert.equal(api.writes().length, writes);
  api.change<KubeObject>(configMaps, ref, ({ metadata }) => delete metadata.finalizers);
  api.remove(configMaps, ref);
  await removeFinalizer(client, configMaps, added, 'example.com/mine');
});

test('an owner is referred to with all that the garbage collector needs', () => {
  const owner = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', uid: 'u' } };
  assert.deepEqual(controllerReference(owner), {
    apiVersion: 'v1',
    kind: 'Secret',
    name: 'a',
    uid: 'u',
    controller: true,
    blockOwnerDeletion: true,
  });
  assert.throws(() => controllerReference({ metadata: { name: 'a' } }), /not read from the API server/);
});

for (const [text, number] of [
  ['500m', 0.5],
  ['0.5', 0.5],
  [2, 2],
  ['1Ki', 1_024],
  ['1e3', 1_000],
  ['1E', 1e18],
  ['100n', 1e-7],
  ['many', undefined],
  ['1 Gi', undefined],
  ['', undefined],
  ['1.2.3', undefined],
] as const) {
  test(`the quantity ${JSON.stringify(text)} is ${number}`, () => assert.equal(parseQuantity(text), number));
}
