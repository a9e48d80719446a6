import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configMaps,
  controllerRings,
  mutatingWebhookConfigurations,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, RingWorld, ref } from '../moves/ring-fixture.ts';
import { WebhookConfigurations } from '../webhook/webhook-configurations.ts';
import { ResourceAccess } from './resource-access.ts';
import { RingController } from './ring-controller.ts';
import { Rings } from './rings.ts';

const resources = [
  { group: '', resource: 'secrets', controlledResources: [{ group: '', resource: 'configmaps' }] },
];

async function start({ webhook = true } = {}) {
  const world = new RingWorld();
  const { api, clock, membership, signal } = world;
  api.seed<KubeObject>(namespaces, {
    metadata: { name: 'default', labels: { 'kubernetes.io/metadata.name': 'default' } },
  });
  api.seed<ControllerRing>(controllerRings, { metadata: { name: ring }, spec: { resources } });
  const mapper = {
    resource: async (_group: string, name: string) => (name === 'secrets' ? secrets : configMaps),
  };
  const access = new ResourceAccess({ client: api, clock, logger: silentLogger });
  const rings = new Rings({ client: api, mapper, access, clock, logger: silentLogger });
  const webhooks = new WebhookConfigurations({
    client: api,
    clock,
    logger: silentLogger,
    settings: () => ({
      endpoint: { url: 'https://127.0.0.1:9443' },
      annotations: {},
      sharderUsername: 'sharder',
      caBundle: 'UEVN',
    }),
  });
  void rings.run(signal);
  void webhooks.run(signal);
  await world.withShards('a', 'b');
  const lead = new AbortController();
  const controller = new RingController({
    ...world.moves,
    rings,
    access,
    client: access.client,
    webhooks: webhook ? webhooks : undefined,
    syncPeriodMs: 300_000,
  });
  const ended = controller.run(lead.signal);
  await clock.advance(1_000);
  const status = () => api.peek<ControllerRing>(controllerRings, { name: ring })?.status;
  const configuration = () => api.peek(mutatingWebhookConfigurations, { name: `controllerring-${ring}` });
  return { world, api, clock, controller, lead, ended, membership, status, configuration };
}

test('a ring is served: its objects get shards, its webhook is configured, its status says so', async () => {
  const { world, clock, status, configuration } = await start();
  world.secrets(4);
  await clock.advance(1_000);
  assert.equal(world.loads()[''], undefined);
  assert(configuration());
  assert.equal(status()?.shards, 2);
  assert.equal(status()?.availableShards, 2);
  assert.equal(status()?.conditions?.[0]?.status, 'True');
  assert.equal(status()?.observedGeneration, 1);
});

test('the status follows the shards, and is not written when nothing changed', async () => {
  const { world, api, clock, status } = await start();
  world.release('a');
  await clock.advance(1_000);
  assert.equal(status()?.availableShards, 1);
  assert.equal(status()?.shards, 2);
  world.release('b');
  await clock.advance(1_000);
  assert.equal(status()?.conditions?.[0]?.reason, 'NoShard');
  api.requests.length = 0;
  api.label(controllerRings, { name: ring }, { some: 'label' });
  await clock.advance(20_000);
  assert.deepEqual(
    api.writes().filter(({ resource }) => resource.startsWith('controllerrings')),
    [],
  );
});

test('a webhook that can not be configured is told by the status, and keeps nothing from its shard', async () => {
  const { world, api, clock, status, configuration } = await start();
  const heal = api.fault({
    on: ({ verb, resource }) => verb === 'create' && resource.startsWith('mutatingwebhook'),
    error: connectionError(),
    times: 1_000,
  });
  api.remove(mutatingWebhookConfigurations, { name: `controllerring-${ring}` });
  await clock.advance(100);
  assert.equal(status()?.conditions?.[0]?.reason, 'Failed');
  world.secret('s');
  await clock.advance(1_000);
  assert.notEqual(world.shardOf('s'), undefined);
  heal();
  await clock.advance(60_000);
  assert(configuration());
  assert.equal(status()?.conditions?.[0]?.status, 'True');
});

test('a ring that is deleted loses its webhook, and its objects stay as they are', async () => {
  const { world, api, clock, configuration } = await start();
  world.secrets(4);
  await clock.advance(1_000);
  const before = JSON.stringify(world.loads());
  api.remove(controllerRings, { name: ring });
  await clock.advance(1_000);
  assert.equal(configuration(), undefined);
  world.secret('new');
  world.release('a');
  await clock.advance(30_000);
  assert.equal(world.shardOf('new'), undefined);
  api.remove(secrets, ref('new'));
  assert.equal(JSON.stringify(world.loads()), before);
});

test('a new spec ends the moves of the old one', async () => {
  const { world, api, clock } = await start();
  api.change<ControllerRing>(controllerRings, { name: ring }, (changed) => {
    changed.spec = { resources: [{ group: '', resource: 'configmaps' }] };
  });
  await clock.advance(1_000);
  world.secret('s');
  api.seed(configMaps, { metadata: ref('c') });
  await clock.advance(5_000);
  assert.equal(world.shardOf('s'), undefined);
  assert.notEqual(api.peek(configMaps, ref('c'))?.metadata.labels?.[assigned], undefined);
});

test('whether a shard is empty is asked of the ring that is served, and denied for any other', async () => {
  const { world, clock, controller } = await start();
  world.release('a');
  await clock.advance(1_000);
  assert.equal(await controller.isEmpty(ring, 'a', world.signal), true);
  assert.equal(await controller.isEmpty('other', 'a', world.signal), false);
});

test('at the end of its lead nothing is moved any more', async () => {
  const { world, clock, lead, ended } = await start({ webhook: false });
  lead.abort();
  await clock.advance(5_000);
  await ended;
  world.secret('s');
  world.release('a');
  await clock.advance(30_000);
  assert.equal(world.shardOf('s'), undefined);
});
