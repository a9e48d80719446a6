import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPoints } from './converged.ts';
import type { ObservedEvent } from './events.ts';
import { configMap, lease, pinned, replica, secret, wished } from './hand-made.ts';
import { World } from './world.ts';

function worldOf(...events: ObservedEvent[]): World {
  const world = new World();
  for (const event of events) world.observe(event);
  return world;
}

const open = (expected: number, ...events: ObservedEvent[]) =>
  openPoints(worldOf(...events).summary(), { secrets: expected, level: true });
const atRest = [
  lease(1, 'a'),
  lease(1, 'b'),
  ...['u', 'v'].flatMap((uid, i) => {
    const shard = i === 0 ? 'a' : 'b';
    return [secret(2, uid, shard), configMap(3, uid, shard)];
  }),
];

test('the numbers of each shard and of the ring', () => {
  const summary = worldOf(
    ...atRest,
    secret(4, 'u', 'a', 4, 'b'),
    secret(4, 'w'),
    configMap(5, 'v', 'a'),
    pinned(6, 'v', 'b', 'b'),
  ).summary();
  const [a, b] = summary.shards;
  assert.deepEqual([a?.name, a?.secrets, a?.configMaps, a?.leaving, a?.arriving], ['a', 1, 2, 1, 0]);
  assert.deepEqual([a?.pinned, b?.pinned], [0, 1]);
  assert.deepEqual([b?.name, b?.secrets, b?.configMaps, b?.leaving, b?.arriving], ['b', 1, 0, 0, 1]);
  const { secrets, configMaps, unassigned, moving, split, single } = summary;
  assert.deepEqual(
    { secrets, configMaps, unassigned, moving, split, single },
    {
      secrets: 3,
      configMaps: 2,
      unassigned: 1,
      moving: 1,
      split: 1,
      single: 1,
    },
  );
});

test('a ring at rest has no open points', () => assert.deepEqual(open(2, ...atRest), []));

const rows: [string, ObservedEvent[], RegExp][] = [
  ['a Secret without a shard', [secret(9, 'u')], /1 objects without a shard/],
  ['an object on a shard that is gone', [lease(9, 'b', '')], /2 objects on b, which is gone/],
  ['an object on a shard that never was', [secret(9, 'u', 'x')], /1 objects on x, which is gone/],
  ['a Secret without a ConfigMap', [secret(9, 'w', 'a')], /1 Secrets without a ConfigMap/],
  ['a pair apart', [configMap(9, 'u', 'b')], /1 ConfigMaps on another shard than their Secret/],
  ['a drain', [secret(9, 'u', 'a', 9, 'b')], /1 Secrets on the move/],
  [
    'a pin that is not followed',
    [pinned(9, 'u', 'a', 'b')],
    /1 Secrets on another shard than the one they are pinned/,
  ],
  [
    'a shard that gives everything away',
    [wished(9, 'b', { draining: true })],
    /2 objects on b, which is draining/,
  ],
  ['a replica without a Lease', [replica(9, 'c', 'started')], /c has no Lease yet/],
];

for (const [what, events, expected] of rows) {
  test(`not at rest: ${what}`, () => assert.match(open(2, ...atRest, ...events).join('; '), expected));
}

test('not at rest: a Secret that was created and not seen', () => {
  assert.deepEqual(open(3, ...atRest), ['1 Secrets not seen yet']);
});

test('not at rest: no shard', () => assert.deepEqual(open(0), ['no live shard']));

test('not at rest: shares that are not level', () => {
  const uids = Array.from({ length: 20 }, (_, i) => `x${i}`);
  const events = uids.flatMap((uid) => [secret(5, uid, 'a'), configMap(6, uid, 'a')]);
  assert.deepEqual(open(22, ...atRest, ...events), ['shares not level: a 21, b 1']);
  const summary = worldOf(...atRest, ...events).summary();
  assert.deepEqual(openPoints(summary, { secrets: 22, level: false }), []);
});

test('a Lease that was released before the observer saw it is no shard to wait for', () => {
  assert.deepEqual(open(2, ...atRest, lease(9, 'old', '')), []);
});

test('a pin to a shard that can’t take it is nothing to wait for', () => {
  assert.deepEqual(open(2, ...atRest, pinned(9, 'u', 'a', 'x')), []);
});

const pairsOn = (shard: string, count: number): ObservedEvent[] =>
  Array.from({ length: count }, (_, i) => `${shard}${i}`).flatMap((uid) => [
    secret(5, uid, shard),
    configMap(6, uid, shard),
  ]);
const both = [lease(1, 'a'), lease(1, 'b')];

test('shares are level by weight, and pins are part of them', () => {
  const ring = [...both, ...pairsOn('a', 60), ...pairsOn('b', 30)];
  assert.match(open(90, ...ring)[0] ?? '', /^shares not level/);
  assert.deepEqual(open(90, ...ring, wished(7, 'a', { weight: 2 })), []);
  const pins = Array.from({ length: 60 }, (_, i) => pinned(7, `a${i}`, 'a', 'a'));
  assert.deepEqual(open(90, ...ring, ...pins), []);
});

test('what a cordoned shard keeps is not shared out', () => {
  const ring = [...both, lease(1, 'c'), ...pairsOn('a', 60), ...pairsOn('b', 20), ...pairsOn('c', 20)];
  assert.deepEqual(open(100, ...ring, wished(7, 'a', { cordoned: true })), []);
});
