import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { configMaps, pods } from '../kube/resources.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { ControlledTrees } from './controlled-trees.ts';

const resources = [configMaps, pods];

/** An object with this number, and that of its controller. */
interface Node {
  id: number;
  resource: 0 | 1;
  controller: number;
}

/** Numbers below this are owners, which are Secrets. */
const ownerCount = 3;

const nodes = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: ownerCount, max: 16 }),
      resource: fc.constantFrom(0, 1),
      controller: fc.nat(18),
    }),
    { selector: ({ id }) => id, maxLength: 14 },
  )
  .map((all): Node[] => all.map((node) => ({ ...node, resource: node.resource === 0 ? 0 : 1 })));

function objectOf(all: readonly Node[], { id, controller }: Node): KubeObject {
  const above = all.find((node) => node.id === controller);
  const kind = controller < ownerCount ? 'Secret' : (resources[above?.resource ?? 0]?.kind ?? '');
  const reference = { apiVersion: 'v1', kind, name: `${controller}`, uid: `${controller}`, controller: true };
  return {
    metadata: { name: `${id}`, uid: `${id}`, ownerReferences: [reference], annotations: { large: 'x' } },
  };
}

/** The owner at the top of its controllers, if there is one. */
function topOf(all: readonly Node[], node: Node): number | undefined {
  let above: number = node.controller;
  for (let level = 0; level < 20; level += 1) {
    if (above < ownerCount) return above;
    const next = all.find(({ id }) => id === above);
    if (next === undefined) return undefined;
    above = next.controller;
  }
  return undefined;
}

test('each object is found with the owner at the top of its controllers, in whatever order, and circles with none', () => {
  fc.assert(
    fc.property(nodes, fc.boolean(), (all, reversed) => {
      const order: Resource[] = reversed ? resources.toReversed() : resources;
      const trees = new ControlledTrees(['0', '1'], order);
      for (const resource of order) {
        for (const node of all)
          if (resources[node.resource] === resource) trees.add(resource, objectOf(all, node));
        trees.listed(resource);
      }
      for (const owner of [0, 1, 2]) {
        const expected = owner === 2 ? [] : all.filter((node) => topOf(all, node) === owner);
        assert.deepEqual(
          trees
            .of(`${owner}`)
            .map(({ object }) => Number(object.metadata.uid))
            .toSorted((a, b) => a - b),
          expected.map(({ id }) => id).toSorted((a, b) => a - b),
        );
      }
    }),
    { numRuns: 2_000 },
  );
});

test('an owner is no part of its own tree, although something in it controls the owner', () => {
  const trees = new ControlledTrees(['0'], resources);
  const all: Node[] = [
    { id: 5, resource: 0, controller: 0 },
    { id: 0, resource: 0, controller: 5 },
  ];
  for (const node of all) trees.add(configMaps, objectOf(all, node));
  assert.deepEqual(
    trees.of('0').map(({ object }) => object.metadata.uid),
    ['5'],
  );
});

test('only what a patch of labels needs is kept', () => {
  const trees = new ControlledTrees(['0'], resources);
  const node: Node = { id: 5, resource: 0, controller: 0 };
  trees.add(configMaps, objectOf([node], node));
  trees.add(configMaps, { metadata: { name: 'free', uid: 'free' } });
  const [found, ...others] = trees.of('0');
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(found?.object.metadata ?? {}).toSorted(), ['name', 'ownerReferences', 'uid']);
  assert.equal(found?.resource, configMaps);
  assert.deepEqual(trees.of('unknown'), []);
});
