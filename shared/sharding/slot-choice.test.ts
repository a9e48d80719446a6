import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../lease/lease.ts';
import { forcedAnnotation, handedOverAnnotation, identityAnnotation, sharderHolder } from './contract.ts';
import { chooseSlot, isSlotWanted, type SeenSlot } from './slot-choice.ts';

interface Row {
  name: string;
  replicas?: number;
  seen: SeenSlot[];
  refused?: string[];
  expected: string;
}

const slot = (
  number: number | string,
  holder: string,
  { identity = 'other', unchangedMs = 0, ...marks }: Record<string, string | number> = {},
): SeenSlot => ({
  lease: {
    metadata: {
      name: `ring-${number}`,
      annotations: { ...(holder !== '' && { [identityAnnotation]: String(identity) }), ...strings(marks) },
    },
    spec: { holderIdentity: holder, leaseDurationSeconds: 15 },
  },
  unchangedMs: Number(unchangedMs),
});
const strings = (marks: Record<string, string | number>): Record<string, string> =>
  Object.fromEntries(Object.entries(marks).map(([name, value]) => [name, String(value)]));

const held = (number: number): SeenSlot => slot(number, `ring-${number}`);
const mine = (number: number): SeenSlot => slot(number, `ring-${number}`, { identity: 'me' });
const silent = (number: number): SeenSlot => slot(number, `ring-${number}`, { unchangedMs: 15_000 });
const left = (number: number): SeenSlot => slot(number, '');
const takenOver = (number: number): SeenSlot => slot(number, sharderHolder);
const handedOver = (number: number): SeenSlot => slot(number, '', { [handedOverAnnotation]: 'true' });
const forced = (number: number): SeenSlot => slot(number, sharderHolder, { [forcedAnnotation]: 'true' });

const rows: Row[] = [
  { name: 'there are none', seen: [], expected: 'make ring-0' },
  { name: 'some are held', seen: [held(0), held(2)], expected: 'make ring-1' },
  { name: 'all are held', seen: [held(0), held(1), held(2)], expected: 'spare' },
  { name: 'more are held than wanted', replicas: 1, seen: [held(0), held(1)], expected: 'spare' },
  { name: 'the workload wants none', replicas: 0, seen: [handedOver(0)], expected: 'spare' },
  {
    name: 'one was handed over',
    seen: [silent(0), left(1), handedOver(3), handedOver(2)],
    expected: 'take ring-2',
  },
  { name: 'one is silent', seen: [left(0), takenOver(1), silent(2)], expected: 'take ring-2' },
  { name: 'one is silent for almost its duration', seen: [held(0), held(1), almost(2)], expected: 'spare' },
  { name: 'one was left', seen: [held(0), left(2), held(1)], expected: 'take ring-2' },
  { name: 'one was taken over', seen: [held(0), takenOver(1)], expected: 'take ring-1' },
  {
    name: 'one was left, and all that are wanted are held',
    seen: [held(0), held(1), held(2), left(3)],
    expected: 'spare',
  },
  {
    name: 'one was handed over that is not wanted any more',
    replicas: 2,
    seen: [held(0), held(1), handedOver(2)],
    expected: 'spare',
  },
  { name: 'its own is among them', seen: [handedOver(0), mine(2)], expected: 'take ring-2' },
  { name: 'its own is too much', replicas: 1, seen: [held(0), mine(1)], expected: 'take ring-1' },
  { name: 'one was taken by force', seen: [held(0), held(1), forced(2)], expected: 'spare' },
  { name: 'a name is refused', seen: [held(0)], refused: ['ring-1'], expected: 'make ring-2' },
  {
    name: 'shards of other names hold on',
    seen: [slot('x', 'ring-x'), slot('01', 'ring-01'), slot('7b9-xk2', 'ring-7b9-xk2'), held(0), held(1)],
    expected: 'make ring-2',
  },
  { name: 'the numbers have two digits', seen: [left(10), left(9)], expected: 'take ring-9' },
];

function almost(number: number): SeenSlot {
  return slot(number, `ring-${number}`, { unchangedMs: 14_999 });
}

for (const { name, replicas = 3, seen, refused = [], expected } of rows) {
  test(`when ${name}: ${expected}`, () => {
    for (const order of [seen, seen.toReversed()]) {
      const choice = chooseSlot({
        ring: 'ring',
        identity: 'me',
        replicas,
        seen: order,
        refused: new Set(refused),
      });
      const what =
        choice.kind === 'take' ? choice.slot.lease.metadata.name : 'name' in choice ? choice.name : '';
      assert.equal(`${choice.kind} ${what}`.trim(), expected);
    }
  });
}

const leasesOf = (...seen: SeenSlot[]): Lease[] => seen.map(({ lease }) => lease);

const wishes: Array<[string, number, Lease[], boolean]> = [
  ['as many as wanted are in use', 3, leasesOf(mine(0), held(1), held(2)), true],
  ['fewer than wanted are in use', 3, leasesOf(mine(0)), true],
  ['others were handed over', 3, leasesOf(mine(0), handedOver(1), held(2)), true],
  ['pods become fewer', 2, leasesOf(mine(0), held(1), held(2)), false],
  ['pods become fewer while one is handed over', 2, leasesOf(mine(0), handedOver(1), held(2)), false],
  ['others have left', 2, leasesOf(mine(0), held(1), left(2), takenOver(3)), true],
  ['shards of other names hold on', 1, leasesOf(mine(0), slot('x', 'ring-x')), true],
  ['the workload is gone', 0, leasesOf(mine(0)), false],
];
for (const [name, replicas, leases, expected] of wishes) {
  test(`when ${name}, a slot is ${expected ? 'handed over' : 'left'}`, () =>
    assert.equal(isSlotWanted('ring', replicas, leases), expected));
}
