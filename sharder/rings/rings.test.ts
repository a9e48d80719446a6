import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestMapper } from '@controller-sharding/shared/kube/api-client.ts';
import { TransportError } from '@controller-sharding/shared/kube/errors.ts';
import {
  configMaps,
  controllerRings,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Labels } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import type {
  ControllerRing,
  ControllerRingSpec,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { ResourceAccess } from './resource-access.ts';
import { Rings } from './rings.ts';

const name = 'kubernetes.io/metadata.name';
const checksums = {
  group: '',
  resource: 'secrets',
  controlledResources: [{ group: '', resource: 'configmaps' }],
};

async function start(...specs: ControllerRingSpec[]) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock, { resources: [{ ...controllerRings, statusSubresource: true }] });
  const served = new Map([secrets, configMaps].map((resource) => [resource.resource, resource]));
  const asked: string[] = [];
  const mapper: RestMapper = {
    async resource(group, resource) {
      asked.push(resource);
      const found = served.get(resource);
      if (found === undefined) throw new TransportError('KUBE_UNKNOWN_RESOURCE', `no ${resource}.${group}`);
      return found;
    },
  };
  const namespace = (ns: string, labels: Labels = {}): void => {
    api.seed<KubeObject>(namespaces, { metadata: { name: ns, labels: { [name]: ns, ...labels } } });
  };
  for (const ns of ['default', 'kube-system', 'sharding-system']) namespace(ns);
  const create = (ring: string, spec: ControllerRingSpec): void => {
    api.seed<ControllerRing>(controllerRings, { metadata: { name: ring }, spec });
  };
  for (const [index, spec] of specs.entries()) create(index === 0 ? 'ring' : `ring-${index}`, spec);
  const access = new ResourceAccess({ client: api, clock, logger: silentLogger });
  const rings = new Rings({ client: api, mapper, access, clock, logger: silentLogger });
  const told: string[] = [];
  rings.onChange((ring) => told.push(ring));
  const stop = new AbortController();
  const ended = rings.run(stop.signal);
  await clock.advance(0);
  return { clock, api, access, rings, told, asked, served, namespace, create, stop, ended };
}

test('a ring says which resources belong to it, as the API server serves them', async () => {
  const { rings, told } = await start({ resources: [checksums] });
  const scope = rings.get('ring')?.scope;
  assert.deepEqual(scope?.mains, [{ resource: secrets, controlled: [configMaps] }]);
  assert.deepEqual(scope.missing, []);
  assert.deepEqual(told, ['ring']);
  assert.equal(rings.exists('ring'), true);
  assert.equal(rings.exists('other'), false);
});

test('without a selector a ring selects every namespace but those of the system', async () => {
  const { rings, namespace, clock } = await start({ resources: [checksums] });
  const selects = (ns: string | undefined) => rings.get('ring')?.scope.selects(ns);
  assert.equal(selects('default'), true);
  assert.equal(selects('kube-system'), false);
  assert.equal(selects('sharding-system'), false);
  assert.equal(selects(undefined), true, 'cluster-scoped objects always belong');
  assert.equal(selects('new'), undefined, 'not known yet');
  namespace('new');
  await clock.advance(0);
  assert.equal(selects('new'), true);
});

test('with a selector it selects by the labels of namespaces, as they are now', async () => {
  const { api, clock, rings, namespace, told } = await start({
    resources: [checksums],
    namespaceSelector: { matchLabels: { project: 'true' } },
  });
  namespace('mine', { project: 'true' });
  await clock.advance(0);
  const before = rings.get('ring')?.scope;
  assert.equal(before?.selects('mine'), true);
  assert.equal(before.selects('default'), false);
  const tellings = told.length;
  api.label(namespaces, { name: 'default' }, { project: 'true' });
  await clock.advance(0);
  assert.equal(rings.get('ring')?.scope.selects('default'), true);
  assert.notEqual(rings.get('ring')?.scope, before, 'what was dropped before is looked for again');
  assert.equal(told.length, tellings + 1);
});

test('a namespace’s new label is a new scope only for rings that it matters to', async () => {
  const { rings, api, clock } = await start(
    { resources: [checksums], namespaceSelector: { matchLabels: { project: 'x' } } },
    { resources: [checksums] },
  );
  const scopes = () => ['ring', 'ring-1'].map((ring) => rings.get(ring)?.scope);
  const [first, second] = scopes();
  api.label(namespaces, { name: 'default' }, { team: 'any' });
  await clock.advance(0);
  assert.deepEqual(scopes(), [first, second]);
  assert.equal(scopes()[0], first);
  api.label(namespaces, { name: 'default' }, { project: 'x' });
  await clock.advance(0);
  assert.notEqual(scopes()[0], first);
  assert.equal(scopes()[1], second);
});

test('a resource that is not served is named as missing, and found once it is', async () => {
  const { clock, rings, served } = await start({
    resources: [checksums, { group: 'x.dev', resource: 'websites' }],
  });
  const before = rings.get('ring')?.scope;
  assert.deepEqual(before?.missing, [{ group: 'x.dev', resource: 'websites' }]);
  assert.equal(before.mains.length, 1, 'the others are sharded');
  await clock.advance(60_000);
  assert.equal(rings.get('ring')?.scope, before, 'looked for again without a new scope');
  served.set('websites', {
    group: 'x.dev',
    version: 'v1',
    resource: 'websites',
    kind: 'Website',
    namespaced: true,
  });
  await clock.advance(10_000);
  assert.equal(rings.get('ring')?.scope.mains.length, 2);
  assert.deepEqual(rings.get('ring')?.scope.missing, []);
});

test('a controlled resource that is not served does not take its main resource away', async () => {
  const { rings } = await start({
    resources: [{ ...checksums, controlledResources: [{ group: 'x.dev', resource: 'things' }] }],
  });
  assert.deepEqual(rings.get('ring')?.scope.mains, [{ resource: secrets, controlled: [] }]);
  assert.equal(rings.get('ring')?.scope.missing.length, 1);
});

test('a new spec is a new scope, a new status is not', async () => {
  const { api, clock, rings, asked, told } = await start({ resources: [checksums] });
  const before = rings.get('ring')?.scope;
  const asks = asked.length;
  await api.patchStatus(
    controllerRings,
    { name: 'ring' },
    { type: 'merge', body: { status: { shards: 1, availableShards: 1 } } },
  );
  await clock.advance(0);
  assert.equal(rings.get('ring')?.scope, before);
  assert.equal(rings.get('ring')?.ring.status?.shards, 1);
  assert.equal(asked.length, asks);
  assert.equal(told.length, 2);
  api.change<ControllerRing>(controllerRings, { name: 'ring' }, (ring) => {
    ring.spec = { resources: [] };
  });
  await clock.advance(0);
  assert.notEqual(rings.get('ring')?.scope, before);
  assert.deepEqual(rings.get('ring')?.scope.mains, []);
});

test('a ring that is deleted is gone, and one created again under its name is another one', async () => {
  const { api, clock, rings, told, create } = await start({ resources: [checksums] });
  const before = rings.get('ring')?.scope;
  api.remove(controllerRings, { name: 'ring' });
  await clock.advance(0);
  assert.equal(rings.get('ring'), undefined);
  assert.equal(rings.exists('ring'), false);
  assert.deepEqual(told, ['ring', 'ring']);
  create('ring', { resources: [checksums] });
  await clock.advance(0);
  assert(rings.get('ring') && rings.get('ring')?.scope !== before);
});

test('who asks later is told of the rings that are known, until it has heard enough', async () => {
  const { api, clock, rings } = await start({ resources: [checksums] }, { resources: [] });
  const told: string[] = [];
  const enough = rings.onChange((ring) => told.push(ring));
  assert.deepEqual(told, ['ring', 'ring-1']);
  enough();
  api.remove(controllerRings, { name: 'ring' });
  await clock.advance(0);
  assert.equal(told.length, 2);
});

test('it ends with its signal', async () => {
  const { clock, stop, ended } = await start({ resources: [checksums] });
  stop.abort();
  await clock.advance(0);
  await ended;
});
