import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostLevels } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import * as fc from 'fast-check';
import { createHasher } from '../placement/rendezvous.ts';
import { type OwnerEntry, OwnerTable } from './owner-table.ts';

const hasher = await createHasher();

type Noted = Omit<OwnerEntry, 'controller' | 'resource'> & { uid: number; controller: number | undefined };

const noted = fc.record<Noted>({
  uid: fc.nat(12),
  shard: fc.nat(2),
  controller: fc.option(fc.nat(14), { nil: undefined }),
  main: fc.boolean(),
  held: fc.boolean(),
  moving: fc.boolean(),
});

/** The rule as one would say it. */
function expected(objects: ReadonlyMap<number, Noted>, object: Noted): number | undefined {
  const above: Noted[] = [];
  for (let uid = object.controller; uid !== undefined; ) {
    const next = objects.get(uid);
    if (next === undefined || next.moving || above.length === mostLevels) return undefined;
    above.push(next);
    uid = next.controller;
  }
  const top = above.pop();
  if (!top?.main || above.some(({ held, shard }) => held && shard !== top.shard)) return undefined;
  return top.shard;
}

test('whatever the order, an object should be where the main object at the top of its controllers is', () => {
  fc.assert(
    fc.property(fc.uniqueArray(noted, { selector: ({ uid }) => uid, maxLength: 12 }), (all) => {
      const table = new OwnerTable();
      const node = (uid: number): number => table.node(hasher.hash(`uid-${uid}`));
      for (const { uid, controller, ...entry } of all) {
        const above = controller === undefined ? undefined : node(controller);
        table.note(node(uid), { ...entry, resource: uid, controller: above });
      }
      const objects = new Map(all.map((object) => [object.uid, object]));
      for (const object of all) {
        const shard = expected(objects, object);
        assert.equal(table.resource(node(object.uid)), object.uid);
        assert.equal(
          table.isLeftBehind(node(object.uid)),
          shard !== undefined && shard !== object.shard && !object.moving,
        );
      }
    }),
    { numRuns: 2_000 },
  );
});

test('an object is known again among two hundred thousand, in ten megabytes', () => {
  const before = process.memoryUsage().arrayBuffers;
  const table = new OwnerTable();
  const hash = (number: number) => hasher.hash(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
  for (let number = 0; number < 200_000; number += 1) assert.equal(table.node(hash(number)), number);
  for (let number = 0; number < 200_000; number += 997) assert.equal(table.node(hash(number)), number);
  assert.equal(table.size, 200_000);
  const grownBytes = process.memoryUsage().arrayBuffers - before;
  assert(grownBytes < 10e6, `${grownBytes} bytes`);
});
