import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ControllerRing,
  type LabelSelector,
  type LabelSelectorRequirement,
  matchesSelector,
  ringNamespaceSelector,
  ringResources,
} from './controller-ring.ts';

const ring = (spec: ControllerRing['spec']): ControllerRing => ({
  metadata: { name: 'ring' },
  ...(spec ? { spec } : {}),
});

test('a ring shards its main and controlled resources, each once', () => {
  const configMaps = { group: '', resource: 'configmaps' };
  const resources = ringResources(
    ring({
      resources: [
        { group: '', resource: 'secrets', controlledResources: [configMaps] },
        { group: 'apps', resource: 'deployments', controlledResources: [configMaps] },
      ],
    }),
  );
  assert.deepEqual(resources, [
    { group: '', resource: 'secrets' },
    configMaps,
    { group: 'apps', resource: 'deployments' },
  ]);
});

test('a ring without spec or resources shards nothing', () => {
  assert.deepEqual(ringResources(ring(undefined)), []);
  assert.deepEqual(ringResources(ring({})), []);
});

test('by default every namespace belongs but kube-system and sharding-system', () => {
  const selector = ringNamespaceSelector(ring({}));
  const belongs = (name: string): boolean =>
    matchesSelector(selector, { 'kubernetes.io/metadata.name': name });
  assert.deepEqual(['default', 'kube-system', 'sharding-system', 'kube-public'].map(belongs), [
    true,
    false,
    false,
    true,
  ]);
});

test("a ring's own selector replaces the default", () => {
  const own = { matchLabels: { team: 'a' } };
  assert.equal(ringNamespaceSelector(ring({ namespaceSelector: own })), own);
  assert.deepEqual(ringNamespaceSelector(ring({ namespaceSelector: {} })), {});
});

type Operator = LabelSelectorRequirement['operator'];
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what no API server lets through
const unheard = 'Unheard' as Operator;

const expression = (operator: Operator, values?: string[]): LabelSelector => ({
  matchExpressions: [{ key: 'a', operator, ...(values ? { values } : {}) }],
});

const rows: { selector: LabelSelector; matches: [absent: boolean, one: boolean, two: boolean] }[] = [
  { selector: {}, matches: [true, true, true] },
  { selector: { matchLabels: { a: '1' } }, matches: [false, true, false] },
  { selector: { matchLabels: { a: '1', b: '1' } }, matches: [false, false, false] },
  { selector: expression('In', ['1', '3']), matches: [false, true, false] },
  { selector: expression('In'), matches: [false, false, false] },
  { selector: expression('NotIn', ['1']), matches: [true, false, true] },
  { selector: expression('Exists'), matches: [false, true, true] },
  { selector: expression('DoesNotExist'), matches: [true, false, false] },
  { selector: expression(unheard), matches: [false, false, false] },
  { selector: { ...expression('Exists'), matchLabels: { a: '2' } }, matches: [false, false, true] },
  { selector: { matchLabels: { toString: 'x' } }, matches: [false, false, false] },
];

for (const { selector, matches } of rows) {
  test(`selector ${JSON.stringify(selector)}`, () => {
    const found = [undefined, { a: '1' }, { a: '2' }].map((labels) => matchesSelector(selector, labels));
    assert.deepEqual(found, matches);
  });
}
