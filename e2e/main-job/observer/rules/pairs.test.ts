import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedEvent } from '../events.ts';
import { configMap, judge, secret, step } from '../hand-made.ts';
import { Pairs } from './pairs.ts';

const judged = (...history: ObservedEvent[]) => judge(new Pairs(), history);

test('a pair that stays together is fine, also while it is on the move', () => {
  const begin = [secret(100, 'u', 'a'), configMap(101, 'u', 'a')];
  const move = [secret(200, 'u', 'a', 200, 'b'), configMap(300, 'u', 'b'), secret(8000, 'u', 'b')];
  assert.deepEqual(judged(...begin, ...move, step('end', 8001, 'needed')), []);
});

test('a ConfigMap left behind for more than 5 s is told, once', () => {
  const violations = judged(secret(100, 'u', 'a'), configMap(101, 'u', 'a'), secret(200, 'u', 'b'));
  assert.equal(violations.length, 1);
  assert.equal(violations[0]?.rule, 'pairs');
  assert.equal(violations[0]?.object, 'test/checksums-u');
  assert.match(violations[0]?.message ?? '', /on a and its Secret on b for 5\.\d s, since 200\.0 ms/);
});

test('a ConfigMap without a label is told, too', () => {
  assert.equal(judged(secret(100, 'u', 'a'), configMap(101, 'u')).length, 1);
});

test('a ConfigMap that follows within 5 s is fine', () => {
  const history = [secret(100, 'u', 'a'), configMap(101, 'u', 'a'), secret(200, 'u', 'b')];
  assert.deepEqual(judged(...history, configMap(4000, 'u', 'b')), []);
});

test('at the end of a step there is no grace', () => {
  const history = [secret(100, 'u', 'a'), configMap(101, 'u', 'b')];
  assert.equal(judged(...history, step('end', 150, 'any'), configMap(160, 'u', 'a')).length, 1);
});

test('a ConfigMap whose Secret was deleted waits for the garbage collector', () => {
  const gone: ObservedEvent = {
    kind: 'object-gone',
    at: 150,
    resource: 'secrets',
    object: 'test/u',
    uid: 'u',
  };
  assert.deepEqual(judged(secret(100, 'u', 'a'), configMap(101, 'u', 'b'), gone), []);
});
