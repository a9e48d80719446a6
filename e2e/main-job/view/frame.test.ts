import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { ShardSummary } from '../observer/world.ts';
import { frame, type ViewState } from './frame.ts';

const open: ShardSummary['wishes'] = { weight: 1, cordoned: false, draining: false };
const shard = (name: string, over: Partial<ShardSummary> = {}): ShardSummary => ({
  name,
  state: 'live',
  since: 0,
  label: 'ready',
  secrets: 100,
  configMaps: 100,
  leaving: 0,
  arriving: 0,
  wishes: open,
  pinned: 0,
  ...over,
});

const state = (over: Partial<ViewState> = {}): ViewState => ({
  url: 'https://127.0.0.1:20001',
  kubeconfig: '/tmp/x/admin.kubeconfig',
  summary: {
    shards: [
      shard('checksum-1', { leaving: 25 }),
      shard('checksum-2', { secrets: 50, configMaps: 49 }),
      shard('checksum-3', { state: 'gone', since: 3_000, label: 'dead', secrets: 1, configMaps: 0 }),
      shard('checksum-4', { state: 'starting', label: undefined, secrets: 0, configMaps: 0, arriving: 25 }),
    ],
    secrets: 151,
    configMaps: 149,
    unassigned: 0,
    moving: 25,
    split: 0,
    single: 0,
    astray: 0,
    leader: 'sharder-1_0a1b',
  },
  now: 15_000,
  reconciles: 300,
  writes: 149,
  violations: [],
  violationCount: 0,
  notes: [{ at: new Date(2026, 0, 2, 3, 4, 5), text: 'checksum-4 was added' }],
  restarts: [],
  ...over,
});

const violation = { rule: 'pairs', at: 1, object: 'test/c', message: 'apart' } as const;
const plain = { columns: 80, rows: 24, color: false };

test('a bar for each shard, the ring’s numbers, the verdict, notes and keys', () => {
  assert.deepEqual(frame(state(), plain).split('\n'), [
    ' Controller sharding  https://127.0.0.1:20001  151 Secrets, 149 ConfigMaps',
    ' export KUBECONFIG=/tmp/x/admin.kubeconfig',
    '',
    ' shard        state      weight                     Secr  CfgM  pins  moves',
    ' checksum-1   ready      ×1     █████████████▒▒▒▒▒   100   100     0  -25',
    ' checksum-2   ready      ×1     █████████             50    49     0',
    ' checksum-3   gone 12 s  ×1     █                      1     0     0',
    ' checksum-4   starting   ×1                            0     0     0  +25',
    '',
    ' leader sharder-1   moving 25   unassigned 0   pairs apart 0',
    ' no rule broken: 300 reconciles and 149 writes checked',
    '',
    ' 03:04:05 checksum-4 was added',
    '',
    ' a add  s stop  k kill -9  c create 100  l kill the leader  q quit',
    ' newest: w weight  o cordon, again: undo  d drain, again: undo  p pin  u unpin',
  ]);
});

test('no line is wider and not more lines than the terminal has room for, with colours and without', () => {
  const shards = Array.from({ length: 30 }, (_, i) => shard(`a-very-long-name-of-a-shard-${i}`));
  const violations = Array.from({ length: 5 }, () => violation);
  const crowded = state({ summary: { ...state().summary, shards }, violations, violationCount: 5 });
  for (const columns of [20, 40, 80, 200]) {
    for (const rows of [8, 12, 24, 60]) {
      const text = frame(crowded, { columns, rows, color: true });
      const lines = stripVTControlCharacters(text).split('\n');
      assert.equal(lines.join('\n'), frame(crowded, { columns, rows, color: false }));
      assert.ok(lines.every((line) => line.length <= columns));
      if (rows >= 12) assert.ok(lines.length < rows, `${lines.length} of ${rows}`);
    }
  }
  assert.match(frame(crowded, plain), /… and \d+ more/);
});

test('what users asked for of a shard: its weight, its pins, a cordon, a drain', () => {
  const shards = [
    shard('a', { wishes: { ...open, weight: 2.5 }, pinned: 3 }),
    shard('b', { wishes: { ...open, cordoned: true } }),
    shard('c', { wishes: { weight: 0.25, cordoned: true, draining: true } }),
    shard('d', { label: 'expired', wishes: { ...open, cordoned: true } }),
  ];
  const lines = frame(state({ summary: { ...state().summary, shards } }), plain).split('\n');
  assert.deepEqual(lines.slice(4, 8), [
    ' a            ready      ×2.5   ██████████████████   100   100     3',
    ' b            cordoned   ×1     ██████████████████   100   100     0',
    ' c            draining   ×0.25  ██████████████████   100   100     0',
    ' d            expired    ×1     ██████████████████   100   100     0',
  ]);
});

test('colours only where they are wanted', () => {
  assert.equal(frame(state(), plain).includes('\u001B'), false);
  assert.equal(frame(state(), { ...plain, color: true }).includes('\u001B'), true);
});

test('a broken rule is told with its object', () => {
  const text = frame(state({ violations: [violation], violationCount: 7 }), plain);
  assert.match(text, /RULES BROKEN 7 TIMES: 300 reconciles and 149 writes checked/);
  assert.match(text, /pairs: test\/c: apart/);
});

const withGone = (since: number): string => {
  const gone = shard('old', { state: 'gone', since, secrets: 0, configMaps: 0 });
  return frame(state({ summary: { ...state().summary, shards: [gone] } }), plain);
};

test('a shard that is gone and empty goes out of sight after a while', () => {
  assert.match(withGone(12_000), /old +gone 3 s/);
  assert.doesNotMatch(withGone(9_000), /old/);
});

test('nobody leads', () => {
  const text = frame(state({ summary: { ...state().summary, leader: '' } }), plain);
  assert.match(text, /leader nobody/);
});
