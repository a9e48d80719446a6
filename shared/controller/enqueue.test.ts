import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '../kube/resources.ts';
import type { KubeObject, OwnerReference, Resource } from '../kube/types.ts';
import { lowPriority } from '../queue/work-queue.ts';
import { enqueueController, enqueueMapped, enqueueObject } from './enqueue.ts';

const deployments: Resource = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};

function queue() {
  const keys: Array<string | [key: string, priority: number]> = [];
  const enqueue = (key: string, priority?: number): void =>
    void keys.push(priority === undefined ? key : [key, priority]);
  return { keys, enqueue };
}

const object = (name: string, controller?: Partial<OwnerReference>): KubeObject => ({
  metadata: {
    namespace: 'shop',
    name,
    ...(controller && {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Secret', name: 'other', uid: '1' },
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: '2', controller: true, ...controller },
      ],
    }),
  },
});

test('the object itself is enqueued: with low priority if it was there at the start', () => {
  const to = queue();
  const handler = enqueueObject(to);
  handler.added?.(object('a'), true);
  handler.added?.(object('b'), false);
  handler.updated?.(object('c'), object('c'));
  handler.deleted?.(object('d'));
  handler.added?.({ metadata: { name: 'cluster-scoped' } }, false);
  assert.deepEqual(to.keys, [['shop/a', lowPriority], 'shop/b', 'shop/c', 'shop/d', 'cluster-scoped']);
});

test("the object's controller is enqueued, if it is of the resource meant", () => {
  const to = queue();
  const handler = enqueueController(to, deployments);
  handler.added?.(object('a', {}), true);
  handler.added?.(object('b', { name: 'api' }), false);
  handler.added?.(object('no controller'), false);
  handler.added?.(object('another kind', { kind: 'ReplicaSet' }), false);
  handler.added?.(object('another group', { apiVersion: 'example.org/v1' }), false);
  handler.deleted?.(object('c', { apiVersion: 'apps/v1beta1', name: 'old' }));
  assert.deepEqual(to.keys, [['shop/web', lowPriority], 'shop/api', 'shop/old']);
});

test('a controller of the core group, and a cluster-scoped one, are found', () => {
  const to = queue();
  const reference = { apiVersion: 'v1', kind: 'Secret', name: 'root' };
  enqueueController(to, secrets).added?.(object('a', reference), false);
  enqueueController(to, { ...secrets, namespaced: false }).added?.(object('a', reference), false);
  assert.deepEqual(to.keys, ['shop/root', 'root']);
});

test('an object that changes hands concerns its old controller and its new one', () => {
  const to = queue();
  enqueueController(to, deployments).updated?.(object('a', { name: 'old' }), object('a', { name: 'new' }));
  assert.deepEqual(to.keys, ['shop/old', 'shop/new']);
});

test('a mapping may give any number of keys, each is enqueued once per event', () => {
  const to = queue();
  const handler = enqueueMapped<KubeObject>(to, ({ metadata }) => metadata.name.split('+'));
  handler.updated?.(object('a+b'), object('b+c'));
  handler.added?.(object('x+y'), false);
  assert.deepEqual(to.keys, ['a', 'b', 'c', 'x', 'y']);
});
