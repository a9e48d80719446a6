import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedEvent } from '../events.ts';
import { configMap, handedOver, judge, secret, writes } from '../hand-made.ts';
import { ExclusiveWrites } from './exclusive-writes.ts';

const judged = (...history: ObservedEvent[]) => judge(new ExclusiveWrites(), history);

/** Secret u of shard a, its ConfigMap, and the move to b: the ConfigMap first, the Secret last. */
const begin = [secret(100, 'u', 'a', 10), configMap(110, 'u', 'a', 11)];
const move = [secret(1000, 'u', 'a', 20, 'b'), configMap(1001, 'u', 'b', 21), secret(1002, 'u', 'b', 22)];

test('each shard writes while the object is its own', () => {
  const before = [writes(500, 'a', 'u'), configMap(501, 'u', 'a', 15), writes(502, 'a', 'u', 15)];
  const after = [writes(1500, 'b', 'u'), configMap(1501, 'u', 'b', 30), writes(1502, 'b', 'u', 30)];
  assert.deepEqual(judged(...begin, ...before, ...move, ...after), []);
});

test('a shard that was asked to hand over may finish what is in flight', () => {
  const inFlight = [writes(999, 'a', 'u'), secret(1000, 'u', 'a', 20, 'b'), writes(1000.5, 'a', 'u', 21)];
  assert.deepEqual(
    judged(...begin, ...inFlight, configMap(1001, 'u', 'b', 22), secret(1002, 'u', 'b', 23)),
    [],
  );
});

test('a write that took effect after the object was given away is told with both resourceVersions', () => {
  const late = [writes(1001.5, 'a', 'u'), writes(1003, 'a', 'u', 23)];
  const [violation, ...more] = judged(...begin, ...move, ...late);
  assert.equal(more.length, 0);
  assert.equal(violation?.rule, 'exclusive writes');
  assert.equal(violation?.object, 'test/checksums-u');
  assert.match(
    violation?.message ?? '',
    /at resourceVersion 23, when .* belonged to b \(since resourceVersion 22\)/,
  );
});

test('a write that begins after the object was seen on another shard is told, even if it fails', () => {
  const violations = judged(...begin, ...move, writes(1100, 'a', 'u'));
  assert.equal(violations.length, 1);
  assert.match(
    violations[0]?.message ?? '',
    /a \(pid 1\) began to patch it .* belonged to b, as seen at 1002\.0/,
  );
});

test('the new shard may know of its object earlier than the observer', () => {
  const early = [writes(1001.5, 'b', 'u'), move[2]!, writes(1003, 'b', 'u', 24)];
  assert.deepEqual(judged(...begin, ...move.slice(0, 2), ...early), []);
});

test('a write of the new shard that changed nothing carries the resourceVersion of the hand-over', () => {
  assert.deepEqual(judged(...begin, ...move, writes(1100, 'b', 'u'), writes(1101, 'b', 'u', 21)), []);
});

test('a late write of the old shard that takes the ConfigMap back is told', () => {
  const stolen = [writes(1001.5, 'a', 'u'), configMap(1004, 'u', 'a', 23), writes(1005, 'a', 'u', 23)];
  assert.equal(judged(...begin, ...move, ...stolen).length, 1);
});

test('a write of the new shard before the object was its own is told', () => {
  const early = [writes(400, 'b', 'u'), writes(401, 'b', 'u', 15)];
  const violations = judged(...begin, ...early, ...move);
  assert.equal(violations.length, 1);
  assert.match(violations[0]?.message ?? '', /at resourceVersion 15, when its owner belonged to a/);
});

test('a write for an object that nobody owns is told', () => {
  assert.equal(judged(secret(100, 'u', undefined, 10), writes(500, 'a', 'u', 15)).length, 1);
});

test('a write for a Secret that the observer has not seen, or of before its history, says nothing', () => {
  assert.deepEqual(
    judged(writes(500, 'a', 'v', 15), secret(600, 'u', 'b', 40), writes(601, 'a', 'u', 30)),
    [],
  );
});

test('a hand-over by the shard that had the object is fine, by another it is told', () => {
  assert.deepEqual(judged(...begin, ...move, handedOver(1003, 'a', 'u', 22)), []);
  assert.equal(judged(...begin, ...move, handedOver(1003, 'c', 'u', 22)).length, 1);
});

test('writes are judged only when the watch is back', () => {
  const rule = new ExclusiveWrites();
  const away: ObservedEvent = { kind: 'watch', at: 900, resource: 'secrets', healthy: false };
  const back: ObservedEvent = { kind: 'watch', at: 9000, resource: 'secrets', healthy: true };
  const [, , given] = move;
  const history = [...begin, away, writes(1100, 'b', 'u'), writes(1101, 'b', 'u', 30), back];
  assert.deepEqual(judge(rule, [...history, { ...given!, at: 9001 }]), []);
});

test('a Secret created again under the same name has a history of its own', () => {
  const gone: ObservedEvent = {
    kind: 'object-gone',
    at: 2000,
    resource: 'configmaps',
    object: 'test/checksums-u',
    uid: 'x',
  };
  const again = [{ ...secret(2100, 'u2', 'b', 40) }, writes(2200, 'b', 'u2', 41)];
  assert.deepEqual(judged(...begin, gone, ...again), []);
});
