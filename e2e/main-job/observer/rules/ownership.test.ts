import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import type { ObservedEvent } from '../events.ts';
import { judge, lease, replica, secret, time, wished } from '../hand-made.ts';
import { Ownership } from './ownership.ts';

const judged = (...history: ObservedEvent[]) => judge(new Ownership(), history);
const leads: ObservedEvent = { kind: 'leader', at: 1, holder: 'sharder-1_x' };
const shards = [leads, replica(1, 'a', 'started'), replica(1, 'b', 'started'), lease(2, 'a'), lease(2, 'b')];

test('an object that gets its shard within 2 s is fine', () => {
  assert.deepEqual(judged(...shards, secret(100, 'u'), secret(2000, 'u', 'a')), []);
});

test('an object without a shard for more than 2 s is told, once', () => {
  const [violation, ...more] = judged(...shards, secret(100, 'u'), secret(2500, 'u', 'a'));
  assert.equal(more.length, 0);
  assert.equal(violation?.rule, 'ownership');
  assert.equal(violation?.object, 'test/u');
  assert.match(violation?.message ?? '', /without a shard for 2\.\d s, since 100\.0 ms/);
});

test('an object that loses its label is told after 2 s', () => {
  assert.equal(judged(...shards, secret(100, 'u', 'a'), secret(5000, 'u'), secret(7500, 'u', 'a')).length, 1);
});

test('an object on a shard that never was is told', () => {
  const violations = judged(...shards, secret(100, 'u', 'nobody'), secret(4000, 'u', 'a'));
  assert.equal(violations.length, 1);
  assert.match(violations[0]?.message ?? '', /on nobody, which is no shard,/);
});

test('without any live shard nothing is expected, and 2 s from the first one on', () => {
  const history = [leads, secret(100, 'u'), time(9000), lease(9000, 'a')];
  assert.deepEqual(judged(...history, secret(10_900, 'u', 'a')), []);
  assert.equal(judged(...history, secret(11_300, 'u', 'a')).length, 1);
});

test('while every shard is cordoned or draining nothing is expected', () => {
  const closed = [leads, wished(2, 'a', { cordoned: true }), wished(2, 'b', { draining: true })];
  assert.deepEqual(judged(...closed, secret(100, 'u')), []);
  assert.equal(judged(...closed, secret(100, 'u'), lease(5000, 'b')).length, 1);
});

test('before a sharder led for the first time nothing is expected', () => {
  const history = [lease(1, 'a'), secret(100, 'u'), { ...leads, at: 9000 }];
  assert.deepEqual(judged(...history, secret(10_900, 'u', 'a')), []);
  assert.equal(judged(...history, secret(11_300, 'u', 'a')).length, 1);
});

test('a released shard’s objects move within 2 s', () => {
  const stopped = [lease(5000, 'a', ''), replica(5010, 'a', 'ended', 'stopped')];
  assert.deepEqual(judged(...shards, secret(100, 'u', 'a'), ...stopped, secret(6900, 'u', 'b')), []);
  assert.equal(judged(...shards, secret(100, 'u', 'a'), ...stopped, secret(7300, 'u', 'b')).length, 1);
});

test('a killed shard’s objects move within 20 s, although its Lease looks held', () => {
  const killed = [replica(5000, 'a', 'killing'), replica(5001, 'a', 'ended', 'killed'), lease(5500, 'a')];
  assert.deepEqual(judged(...shards, secret(100, 'u', 'a'), ...killed, secret(24_900, 'u', 'b')), []);
  const late = judged(...shards, secret(100, 'u', 'a'), ...killed, secret(25_300, 'u', 'b'));
  assert.equal(late.length, 1);
  assert.match(late[0]?.message ?? '', /on a, which is gone, for 20\.\d s, since 5000\.0/);
});

test('after the sharder took a dead shard’s Lease over, its objects move within 2 s', () => {
  const killed = [replica(5000, 'a', 'killing'), replica(5001, 'a', 'ended', 'killed')];
  const history = [...shards, secret(100, 'u', 'a'), ...killed, lease(15_000, 'a', sharderHolder)];
  assert.equal(judged(...history, secret(17_300, 'u', 'b')).length, 1);
});

test('where more time is allowed, only what takes longer is told', () => {
  const tolerant = (...history: ObservedEvent[]) =>
    judge(new Ownership({ toleranceMs: 5_000 }), [...shards, ...history]);
  assert.deepEqual(tolerant(secret(100, 'u'), secret(6_900, 'u', 'a')), []);
  assert.equal(tolerant(secret(100, 'u'), secret(7_600, 'u', 'a')).length, 1);
  const dead = [secret(100, 'u', 'a'), replica(5_000, 'a', 'killing')];
  assert.deepEqual(tolerant(...dead, secret(29_900, 'u', 'b')), []);
  assert.equal(tolerant(...dead, secret(30_600, 'u', 'b')).length, 1);
});

test('a shard that is started again under its name keeps its objects', () => {
  const crashed: ObservedEvent = {
    ...replica(5000, 'a', 'ended', 'crashed'),
    forGood: false,
  };
  const again = [replica(6000, 'a', 'started'), lease(6500, 'a')];
  assert.deepEqual(judged(...shards, secret(100, 'u', 'a'), crashed, ...again, time(40_000)), []);
});

test('an object on the way from one live shard to another is owned all the time', () => {
  const rule = new Ownership();
  const moving = [secret(3000, 'u', 'a', 3000, 'b'), secret(9000, 'u', 'b')];
  assert.deepEqual(judge(rule, [...shards, secret(100, 'u', 'a'), ...moving]), []);
  assert.equal(rule.longest, undefined);
});

test('after the leading sharder was killed, an object may wait for up to 20 s', () => {
  const killed: ObservedEvent = { ...replica(5000, 'sharder-1', 'killing'), role: 'sharder' };
  const history = [...shards, killed, secret(6000, 'u')];
  assert.deepEqual(judged(...history, secret(24_000, 'u', 'a')), []);
  assert.equal(judged(...history, secret(25_300, 'u', 'a')).length, 1);
});

test('a killed standby is no excuse', () => {
  const killed: ObservedEvent = { ...replica(5000, 'sharder-2', 'killing'), role: 'sharder' };
  assert.equal(judged(...shards, killed, secret(6000, 'u'), secret(9000, 'u', 'a')).length, 1);
});

test('a deleted object is no longer expected to have a shard', () => {
  const gone: ObservedEvent = {
    kind: 'object-gone',
    at: 1000,
    resource: 'secrets',
    object: 'test/u',
    uid: 'u',
  };
  assert.deepEqual(judged(...shards, secret(100, 'u'), gone), []);
});

test('the longest time without a live shard counts from the loss of the last one', () => {
  const rule = new Ownership();
  const killed = [replica(5000, 'a', 'killing'), replica(5001, 'a', 'ended', 'killed')];
  judge(rule, [...shards, secret(100, 'u', 'a'), secret(100, 'v', 'a'), ...killed, secret(21_000, 'u', 'b')]);
  assert.deepEqual(rule.longest, { object: 'test/u', ms: 16_000 });
  judge(rule, [secret(22_000, 'v'), secret(22_500, 'v', 'b')]);
  assert.deepEqual(rule.longest, { object: 'test/v', ms: 17_500 });
});
