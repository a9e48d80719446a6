import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcesAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing, RingResource } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { formerResources, recordedResources, recordOfSpec, recordWith } from './labelled-resources.ts';

const core = (resource: string) => ({ group: '', resource });
const main = (resource: string, ...controlled: string[]): RingResource => ({
  ...core(resource),
  controlledResources: controlled.map(core),
});
const ring = (resources: RingResource[], record?: unknown): ControllerRing => ({
  metadata: {
    name: 'ring',
    ...(record !== undefined && {
      annotations: {
        [resourcesAnnotation]: typeof record === 'string' ? record : JSON.stringify(record),
      },
    }),
  },
  spec: { resources },
});

test('what is recorded and no longer in the spec has left', () => {
  const record = [main('secrets', 'configmaps', 'pods'), main('services', 'endpoints')];
  assert.deepEqual(formerResources(ring([main('secrets', 'pods')], record)), [
    main('secrets', 'configmaps'),
    main('services', 'endpoints'),
  ]);
  assert.deepEqual(formerResources(ring(record, record)), []);
  assert.deepEqual(formerResources(ring(record)), []);
});

test('a main resource that is only controlled now has left as a main one', () => {
  const record = [main('configmaps'), main('secrets')];
  assert.deepEqual(formerResources(ring([main('secrets', 'configmaps')], record)), [main('configmaps')]);
});

test('the record keeps what left until it is dropped, in an order that says nothing', () => {
  const spec = [main('services'), main('secrets', 'pods')];
  const record = [main('secrets', 'configmaps'), main('configmaps')];
  const expected = [main('configmaps'), main('secrets', 'configmaps', 'pods'), main('services')];
  assert.deepEqual(recordWith(ring(spec, record)), expected);
  assert.deepEqual(recordWith(ring(spec.toReversed(), record.toReversed())), expected);
  assert.deepEqual(recordOfSpec(ring(spec, record)), [main('secrets', 'pods'), main('services')]);
});

for (const record of [
  '',
  '{',
  '{}',
  'null',
  '7',
  '[null, 7, "x", {}, {"resource": 7}, {"group": 7, "resource": "x"}]',
]) {
  test(`a record that somebody made to be ${record || 'empty'} says nothing`, () => {
    assert.deepEqual(recordedResources(ring([], record)), []);
    assert.deepEqual(recordWith(ring([main('secrets')], record)), [main('secrets')]);
  });
}

test('what makes sense in it counts', () => {
  const record = [{ resource: 'secrets', controlledResources: [7, core('pods')] }, 7];
  assert.deepEqual(recordedResources(ring([], record)), [main('secrets', 'pods')]);
});
