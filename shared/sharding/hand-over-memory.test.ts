import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/types.ts';
import { HandOverMemory } from './hand-over-memory.ts';

const at = (resourceVersion: string, uid = 'u'): KubeObject => ({
  metadata: { name: 's', uid, resourceVersion },
});

test('an object that was never handed over is believed', () => {
  assert.equal(new HandOverMemory().belief(at('1')), 'current');
});

test('after a hand-over older versions are ignored and any newer one is believed, without a DELETED', () => {
  const memory = new HandOverMemory();
  memory.resolved('u', '20', at('9'));
  assert.equal(memory.belief(at('9')), 'stale');
  assert.equal(memory.belief(at('19')), 'stale');
  assert.equal(
    memory.belief(at('20')),
    'current',
    'the version that was written, if it is still this shard`s',
  );
  assert.equal(memory.size, 0, 'nothing is kept for an object that is believed again');
  memory.resolved('u', '20', at('19'));
  assert.equal(memory.belief(at('100')), 'current');
});

test('versions are compared as numbers', () => {
  const memory = new HandOverMemory();
  memory.resolved('u', '1000', at('999'));
  assert.equal(memory.belief(at('999')), 'stale');
});

test('a patch of unknown fate leaves the object unresolved until it is read', () => {
  const memory = new HandOverMemory();
  memory.unresolved('u', at('9'));
  assert.equal(memory.belief(at('9')), 'unresolved');
  assert.equal(memory.belief(at('30')), 'unresolved');
  memory.resolved('u', '9', at('9'));
  assert.equal(memory.belief(at('9')), 'current', 'the patch had no effect');
  memory.unresolved('u', at('9'));
  memory.resolved('u', '20', at('9'));
  assert.equal(memory.belief(at('9')), 'stale');
});

test('nothing is remembered of what the cache no longer holds, or holds in a newer version', () => {
  const memory = new HandOverMemory();
  memory.resolved('u', '20', undefined);
  memory.resolved('u', '20', at('25'));
  memory.resolved('u', '20', at('9', 'other'));
  memory.unresolved('u', undefined);
  memory.unresolved('u', at('9', 'other'));
  assert.equal(memory.size, 0);
});

test('an object that left the cache is forgotten', () => {
  const memory = new HandOverMemory();
  memory.unresolved('u', at('9'));
  memory.forget('u');
  assert.equal(memory.belief(at('9')), 'current');
  assert.equal(memory.size, 0);
});
