import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MovesExpected, ObservedEvent } from '../events.ts';
import { configMap, judge, lease, pinned, replica, secret, step, wished } from '../hand-made.ts';
import { Stability } from './stability.ts';

/** Shards a and b with 20 Secrets each, then a step. */
const shards = [lease(1, 'a'), lease(1, 'b')];
const uids = (shard: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${shard}${i}`);
const held = ['a', 'b'].flatMap((shard) => uids(shard, 20).map((uid) => secret(10, uid, shard)));
const inStep = (moves: MovesExpected, ...events: ObservedEvent[]) =>
  judge(new Stability(), [...shards, ...held, step('begin', 100, moves), ...events, step('end', 900, moves)]);

const moved = (from: string, count: number, to: string, at = 200): ObservedEvent[] =>
  uids(from, count).flatMap((uid) => [secret(at, uid, from, at, to), secret(at + 1, uid, to)]);

test('in a quiet step a renewed object says nothing', () => {
  assert.deepEqual(inStep('nothing', secret(200, 'a1', 'a')), []);
});

test('in a quiet step a new object may get its first label', () => {
  assert.deepEqual(
    inStep('nothing', secret(200, 'new'), secret(201, 'new', 'a'), configMap(202, 'new', 'a')),
    [],
  );
});

test('in a quiet step each change of a label is told', () => {
  const violations = inStep('nothing', secret(200, 'a1', 'b'));
  assert.equal(violations.length, 1);
  assert.equal(violations[0]?.object, 'test/a1');
  assert.match(violations[0]?.message ?? '', /in which nothing may move: from a to b/);
});

test('in a quiet step a drain, a lost label and a moved ConfigMap are told', () => {
  assert.equal(inStep('nothing', secret(200, 'a1', 'a', 200, 'b')).length, 1);
  assert.equal(inStep('nothing', secret(200, 'a1')).length, 1);
  const child = configMap(50, 'a1', 'a');
  const history = [...shards, ...held, child, step('begin', 100, 'nothing'), configMap(200, 'a1', 'b')];
  assert.equal(judge(new Stability(), history).length, 1);
});

test('a join moves what lies above the new shares', () => {
  // 40 on three shards: 14, 13 and 13.
  assert.deepEqual(inStep('needed', lease(150, 'c'), ...moved('a', 6, 'c'), ...moved('b', 7, 'c')), []);
});

test('a join that moves more than that is told', () => {
  const violations = inStep('needed', lease(150, 'c'), ...moved('a', 9, 'c'), ...moved('b', 7, 'c'));
  assert.equal(violations.length, 1);
  assert.match(violations[0]?.message ?? '', /^16 objects .* need no more than 13 moves/);
});

const threeShards = [...shards, lease(1, 'c'), ...held, ...uids('c', 20).map((uid) => secret(10, uid, 'c'))];
const killed = [replica(150, 'c', 'killing'), replica(151, 'c', 'ended', 'killed')];
/** Where the objects of c go: half and half. */
const fromC = uids('c', 20).map((uid, i) => secret(300, uid, i % 2 === 0 ? 'a' : 'b'));
const death = (...more: ObservedEvent[]) =>
  judge(new Stability(), [
    ...threeShards,
    replica(1, 'c', 'started'),
    step('begin', 100, 'needed'),
    ...killed,
    ...fromC,
    ...more,
    step('end', 900, 'needed'),
  ]);

test('a death moves the dead shard’s objects', () => assert.deepEqual(death(), []));

test('a death that moves another shard’s object is told', () => {
  const violations = death(...moved('a', 1, 'b', 400));
  assert.equal(violations.length, 1);
  assert.equal(violations[0]?.object, 'test/a0');
});

test('a dead shard’s object that moves twice is told', () => {
  assert.equal(death(secret(400, 'c0', 'b')).length, 1);
});

test('levelling after a death may move what lies above the shares', () => {
  // All of c's to a: 40 and 20; ten too many.
  const allToA = uids('c', 20).map((uid) => secret(300, uid, 'a'));
  const history = (count: number): ObservedEvent[] => [
    ...threeShards,
    replica(1, 'c', 'started'),
    step('begin', 100, 'needed'),
    ...killed,
    ...allToA,
    ...moved('a', count, 'b', 400),
    step('end', 900, 'needed'),
  ];
  assert.deepEqual(judge(new Stability(), history(10)), []);
  assert.equal(judge(new Stability(), history(11)).length, 1);
});

test('a step in which anything may move says nothing', () => {
  assert.deepEqual(inStep('any', ...moved('a', 9, 'b')), []);
});

test('what was moved to a shard that died then is moved again', () => {
  const toA = [...uids('b', 20), ...uids('c', 20)].map((uid) => secret(400, uid, 'a'));
  assert.deepEqual(death(replica(350, 'b', 'killing'), ...toA), []);
});

test('a weight moves what lies above the new shares, and no more', () => {
  // 40 in proportion 3 to 1: 30 and 10.
  const heavier = wished(150, 'a', { weight: 3 });
  assert.deepEqual(inStep('needed', heavier, ...moved('b', 10, 'a')), []);
  assert.match(
    inStep('needed', heavier, ...moved('b', 11, 'a'))[0]?.message ?? '',
    /^11 objects .* \(a 20, b 20\) need no more than 10 moves/,
  );
});

test('a cordon moves nothing', () => {
  assert.deepEqual(inStep('needed', wished(150, 'b', { cordoned: true })), []);
  assert.equal(inStep('needed', wished(150, 'b', { cordoned: true }), ...moved('a', 1, 'b')).length, 1);
});

test('what a cordoned shard has is not levelled', () => {
  // Without the cordon, 40 on three shards would move 7 from b.
  const cordon = wished(150, 'b', { cordoned: true });
  assert.deepEqual(inStep('needed', cordon, lease(151, 'c'), ...moved('a', 10, 'c')), []);
  const [violation, ...more] = inStep('needed', cordon, lease(151, 'c'), ...moved('b', 1, 'c'));
  assert.equal(violation?.object, 'test/b0');
  assert.match(violation?.message ?? '', /^moved 1 times more than needed .* b isn't levelled/);
  assert.equal(more.length, 0);
});

const drain = wished(150, 'b', { draining: true });

test('a drain moves all that the shard has', () => {
  assert.deepEqual(inStep('needed', drain, ...moved('b', 20, 'a')), []);
});

test('a drain that moves another shard’s object is told', () => {
  const toC = uids('b', 20).map((uid) => secret(300, uid, 'c'));
  assert.deepEqual(inStep('needed', drain, lease(151, 'c'), ...toC), []);
  const violations = inStep('needed', drain, lease(151, 'c'), ...toC, ...moved('a', 1, 'c', 400));
  assert.equal(violations.length, 1);
  assert.equal(violations[0]?.object, 'test/a0');
});

test('what is pinned elsewhere moves there, and nothing else does', () => {
  const pin = [pinned(150, 'a0', 'a', 'b'), pinned(200, 'a0', 'a', 'b', 'b'), pinned(300, 'a0', 'b', 'b')];
  assert.deepEqual(inStep('needed', ...pin), []);
  assert.equal(inStep('needed', ...pin, ...moved('b', 1, 'a')).length, 1);
});

test('a pin to a shard that is gone or drained moves nothing', () => {
  assert.equal(inStep('needed', pinned(150, 'a0', 'a', 'x'), pinned(300, 'a0', 'b', 'x')).length, 1);
  const history = [wished(140, 'b', { draining: true }), ...moved('b', 20, 'a'), pinned(550, 'a0', 'a', 'b')];
  assert.deepEqual(inStep('needed', ...history), []);
  assert.equal(inStep('needed', ...history, pinned(600, 'a0', 'b', 'b')).length, 1);
});

test('a pinned object that moves for the level is told', () => {
  const pins = uids('a', 20).map((uid) => pinned(50, uid, 'a', 'a'));
  const history = (...events: ObservedEvent[]): ObservedEvent[] => [
    ...shards,
    ...held,
    ...pins,
    step('begin', 100, 'needed'),
    lease(150, 'c'),
    ...events,
    step('end', 900, 'needed'),
  ];
  // The other 20 are shared by two.
  assert.deepEqual(judge(new Stability(), history(...moved('b', 10, 'c'))), []);
  assert.equal(judge(new Stability(), history(...moved('b', 11, 'c'))).length, 1);
  const [violation] = judge(new Stability(), history(pinned(200, 'a0', 'c', 'a')));
  assert.match(violation?.message ?? '', /although it is pinned to a/);
});
