import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedEvent } from '../events.ts';
import { configMap, judge, lease, pinned, secret, wished } from '../hand-made.ts';
import { Cordons } from './cordons.ts';

/** Shard b gets its wish at 1000; the rule counts from 3000 on. */
const judged = (wish: 'cordoned' | 'draining', ...history: ObservedEvent[]) =>
  judge(new Cordons(), [
    lease(1, 'a'),
    lease(1, 'b'),
    secret(10, 'old', 'b'),
    wished(1000, 'b', { [wish]: true }),
    ...history,
  ]);

for (const wish of ['cordoned', 'draining'] as const) {
  test(`a shard that is ${wish} keeps what it has, and the others are given more`, () => {
    assert.deepEqual(
      judged(wish, secret(4000, 'old', 'b', 4001), secret(4000, 'new', 'a'), configMap(4000, 'old', 'b')),
      [],
    );
  });

  test(`a new object on a shard that is ${wish} is told, once`, () => {
    const [violation, ...more] = judged(wish, secret(4000, 'new', 'b'), secret(4100, 'new', 'b'));
    assert.equal(more.length, 0);
    assert.equal(violation?.rule, 'cordon');
    assert.equal(violation?.object, 'test/new');
    assert.equal(violation?.message, `was given to b, which is ${wish} for 3.0 s`);
  });

  test(`an object that is moved to a shard that is ${wish} is told, once`, () => {
    const history = [secret(20, 'u', 'a'), secret(4000, 'u', 'a', 4000, 'b'), secret(4100, 'u', 'b')];
    assert.equal(judged(wish, ...history).length, 1);
    assert.equal(judged(wish, secret(20, 'u', 'a'), secret(4000, 'u', 'b')).length, 1);
  });

  test(`what was on its way when the shard became ${wish} may arrive`, () => {
    assert.deepEqual(
      judged(wish, secret(20, 'u', 'a'), secret(2500, 'u', 'a', 2500, 'b'), secret(9000, 'u', 'b')),
      [],
    );
    assert.deepEqual(judged(wish, secret(2900, 'new', 'b')), []);
  });
}

test('a pin counts on a cordoned shard, and not on a draining one', () => {
  assert.deepEqual(judged('cordoned', pinned(4000, 'new', 'b', 'b')), []);
  assert.equal(judged('draining', pinned(4000, 'new', 'b', 'b')).length, 1);
});

test('a move that is called off leaves the object where it was', () => {
  const history = [
    secret(2500, 'old', 'b', 2500, 'a'),
    secret(4000, 'old', 'b', 4000, 'b'),
    secret(4100, 'old', 'b'),
  ];
  assert.deepEqual(judged('cordoned', ...history), []);
});

test('a shard that is open again is given objects', () => {
  assert.deepEqual(judged('cordoned', lease(4000, 'b'), secret(4100, 'new', 'b')), []);
});
