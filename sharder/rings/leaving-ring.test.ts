import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import {
  configMaps,
  controllerRings,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Labels } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { resourcesAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import type {
  ControllerRing,
  ControllerRingSpec,
  RingResource,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, drain, RingWorld } from '../moves/ring-fixture.ts';
import { ResourceAccess } from './resource-access.ts';
import { RingController } from './ring-controller.ts';
import { Rings } from './rings.ts';

const controlledResources = [{ group: '', resource: 'configmaps' }];
const resources: RingResource[] = [{ group: '', resource: 'secrets', controlledResources }];
const spec: ControllerRingSpec = {
  resources,
  namespaceSelector: { matchLabels: { mine: 'yes' } },
};

async function start(prepare: (world: RingWorld) => void = () => undefined) {
  const world = new RingWorld();
  const { api, clock } = world;
  for (const name of ['default', 'other']) {
    api.seed<KubeObject>(namespaces, { metadata: { name, labels: { mine: 'yes' } } });
  }
  api.seed<ControllerRing>(controllerRings, { metadata: { name: ring }, spec });
  prepare(world);
  await world.withShards('a', 'b');
  /** A sharder that leads until its end is called. */
  const lead = async (): Promise<() => Promise<void>> => {
    const stop = new AbortController();
    const access = new ResourceAccess({ client: api, clock, logger: silentLogger });
    const rings = new Rings({ client: api, mapper: api.mapper, access, clock, logger: silentLogger });
    const controller = new RingController({
      ...world.moves,
      rings,
      access,
      webhooks: undefined,
      syncPeriodMs: 300_000,
    });
    const running = Promise.all([rings.run(stop.signal), controller.run(stop.signal)]);
    await clock.advance(1_000);
    return async () => {
      stop.abort();
      await clock.advance(1_000);
      await running;
    };
  };
  const change = (next: RingResource[]): void =>
    void api.change<ControllerRing>(controllerRings, { name: ring }, (changed) => {
      changed.spec = { ...spec, resources: next };
    });
  const select = (name: string, labels: Labels): void => api.label(namespaces, { name }, labels);
  const record = (): string[] =>
    JSON.parse(
      api.peek<ControllerRing>(controllerRings, { name: ring })?.metadata.annotations?.[
        resourcesAnnotation
      ] ?? 'null',
    )?.map(({ resource }: { resource: string }) => resource);
  return { world, api, clock, lead, change, select, record };
}

const pairs = (world: RingWorld, namespace = 'default'): void => {
  for (let number = 0; number < 10; number += 1) {
    world.configMap(
      `c${number}-${namespace}`,
      world.secret(`s${number}-${namespace}`, undefined, {}, namespace),
    );
  }
};
const labelled = ({ api }: RingWorld): number =>
  [...api.all<KubeObject>(secrets), ...api.all<KubeObject>(configMaps)].filter(
    ({ metadata }) => metadata.labels?.[assigned] !== undefined,
  ).length;

test('the resources of a ring are recorded before anything is labelled', async () => {
  const { api, lead, record } = await start((world) => pairs(world));
  await lead();
  assert.deepEqual(record(), ['secrets']);
  const [first] = api.writes();
  assert.equal(first?.resource.startsWith('controllerrings'), true, JSON.stringify(first));
});

test('a resource that is removed loses its labels, is forgotten then, and can come back', async () => {
  const { world, api, clock, lead, change, record } = await start((empty) => pairs(empty));
  world.obey();
  await lead();
  await clock.advance(5_000);
  assert.equal(labelled(world), 20);
  change([]);
  await clock.advance(5_000);
  assert.equal(labelled(world), 0);
  assert.deepEqual(record(), ['secrets']);
  await clock.advance(15_000);
  assert.deepEqual(record(), []);
  await clock.advance(1_000);
  api.requests.length = 0;
  await clock.advance(1_200_000);
  const asked = api.requests.filter(({ resource }) => resource === secrets.resource);
  assert.deepEqual(asked, [], 'nothing is read or watched any more');
  change(resources);
  await clock.advance(5_000);
  assert.equal(labelled(world), 20);
  assert.deepEqual(record(), ['secrets']);
});

test('also when it was removed while no sharder led', async () => {
  const { world, clock, lead, change, record } = await start((empty) => pairs(empty));
  world.obey();
  const end = await lead();
  await clock.advance(5_000);
  await end();
  change([{ group: '', resource: 'configmaps' }]);
  await clock.advance(5_000);
  await lead();
  await clock.advance(30_000);
  assert.deepEqual(record(), ['configmaps']);
  assert.equal(world.loads()[''], 10, 'no Secret has a shard');
  assert.equal(labelled(world), 10, 'ConfigMaps are main objects now');
});

test('a namespace that is no longer selected loses its labels, and gets them again', async () => {
  const { world, clock, lead, select } = await start((empty) => {
    pairs(empty);
    pairs(empty, 'other');
  });
  world.obey();
  await lead();
  await clock.advance(5_000);
  assert.equal(labelled(world), 40);
  select('other', { mine: 'no' });
  await clock.advance(5_000);
  assert.equal(labelled(world), 20);
  select('other', { mine: 'yes' });
  await clock.advance(5_000);
  assert.equal(labelled(world), 40);
});

test('one that is selected again before its shards answered keeps its shards', async () => {
  const { world, clock, lead, select } = await start((empty) => pairs(empty, 'other'));
  await lead();
  await clock.advance(5_000);
  const before = JSON.stringify(world.loads());
  select('other', { mine: 'no' });
  await clock.advance(3_000);
  assert.equal(world.labels(secrets, 's0-other', 'other')[drain], '');
  select('other', { mine: 'yes' });
  await clock.advance(3_000);
  world.obey();
  await clock.advance(3_000);
  assert.equal(JSON.stringify(world.loads()), before);
  assert.equal(world.labels(secrets, 's0-other', 'other')[drain], undefined);
});

test('without the right to note its resources a ring is served all the same', async () => {
  const { world, clock, lead } = await start((empty) => {
    pairs(empty);
    empty.api.fault({
      on: ({ verb, resource }) => verb === 'patch' && resource === controllerRings.resource,
      error: new ApiError(403, 'Forbidden', 'controllerrings is forbidden'),
      times: 10_000,
    });
  });
  await lead();
  await clock.advance(5_000);
  assert.equal(labelled(world), 20);
});

test('a deleted ring’s labels stay, and a ring of its name goes on with them', async () => {
  const { world, api, clock, lead } = await start((empty) => pairs(empty));
  world.obey();
  await lead();
  await clock.advance(5_000);
  const before = JSON.stringify(world.loads());
  api.remove(controllerRings, { name: ring });
  await clock.advance(30_000);
  assert.equal(JSON.stringify(world.loads()), before);
  api.seed<ControllerRing>(controllerRings, { metadata: { name: ring }, spec });
  await clock.advance(30_000);
  assert.equal(JSON.stringify(world.loads()), before);
});
