import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { RingResource } from '@controller-sharding/shared/sharding/controller-ring.ts';
import type { MainResource } from '../rings/ring-scope.ts';
import { matchConditions } from './match-conditions.ts';

const conditionsOf = (resources: RingResource[], mains: MainResource[], username = 'sharder') =>
  new Map(
    matchConditions(
      {
        ring: { metadata: { name: 'ring' }, spec: { resources } },
        scope: { ring: 'ring', mains, former: [], missing: [], selects: () => true },
      },
      username,
    ).map(({ name, expression }) => [name, expression]),
  );
const main = { group: '', resource: 'secrets' };
const controlled = { group: '', resource: 'configmaps' };

test('objects of controlled resources need a controller that the ring knows', () => {
  const expression = conditionsOf(
    [{ ...main, controlledResources: [controlled] }],
    [{ resource: secrets, controlled: [configMaps] }],
  ).get('main-or-controlled');
  assert.match(expression ?? '', /in \["\/configmaps"\]/);
  assert.match(expression ?? '', /kind in \["Secret", "ConfigMap"\]/);
});

test('a resource that is main and controlled needs none', () => {
  const both = conditionsOf(
    [{ ...main, controlledResources: [controlled] }, controlled],
    [
      { resource: secrets, controlled: [configMaps] },
      { resource: configMaps, controlled: [] },
    ],
  );
  assert.deepEqual([...both.keys()], ['unlabelled', 'named', 'not-by-the-sharder']);
});

test('resources that the API server doesn’t serve are still controlled ones', () => {
  const conditions = conditionsOf([{ ...main, controlledResources: [controlled] }], []);
  assert.match(conditions.get('main-or-controlled') ?? '', /in \["\/configmaps"\].* in \[\]/);
});

test('names are quoted', () => {
  const expression = conditionsOf([main], [], 'a"b\\c').get('not-by-the-sharder');
  assert.ok(expression?.endsWith(String.raw`!= "a\"b\\c"`));
});
