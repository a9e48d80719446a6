/** What the sharder does with fewer rights than it would like, and with a resource that goes away. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { documentedMetrics, isDefault } from '@controller-sharding/sharder/metrics/metrics-page-fixture.ts';
import {
  configMaps,
  controllerRings,
  customResourceDefinitions,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { OwnerReference, Resource } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { createShard } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespace, type Rights, RightsWorld } from './rights-world.ts';

const operatorProgram = fileURLToPath(new URL('../../operator/checksum/main.ts', import.meta.url));
const secretCount = 30;
const ofSecrets = {
  group: '',
  resource: 'secrets',
  controlledResources: [{ group: '', resource: 'configmaps' }],
};
const all = ['get', 'list', 'patch', 'watch'];
const off = { enabled: false };

const controlledBy = (name: string, uid: string): { ownerReferences: OwnerReference[] } => ({
  ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name, uid, controller: true }],
});

async function shardProcess(t: TestContext, world: RightsWorld, name: string): Promise<RunningProcess> {
  const { kubeconfigPath, logFolder } = world.controlPlane;
  const flags = [
    `--kubeconfig=${kubeconfigPath}`,
    `--ring=${world.ring}`,
    `--shard-name=${name}`,
    `--lease-namespace=${namespace}`,
    '--health-address=0',
    '--metrics-address=0',
  ];
  const logFile = join(logFolder, `${name}.log`);
  const running = await startProcess({ name, args: [operatorProgram, ...flags], logFile });
  t.after(() => running.stop('SIGKILL'));
  return running;
}

test('with the rights of existing installations, list and patch', { timeout: 240_000 }, async (t) => {
  const world = await RightsWorld.start(t, 'checksum-controller', [ofSecrets]);
  const { client, ring } = world;
  await world.grant({ secrets: { verbs: ['list', 'patch'] }, configmaps: { verbs: ['list', 'patch'] } });
  const sharder = await world.sharder(off);
  const metricsAddress = `127.0.0.1:${await freePort()}`;
  await shardProcess(t, world, 'a');
  await shardProcess(t, world, 'b');

  /** Waits until every Secret is on one of these shards with its ConfigMap, and nothing on the move; took so many ms. */
  const spreadOver = async (...names: string[]): Promise<number> => {
    const since = performance.now();
    await waitFor(
      `all objects on ${names.join(' and ')}`,
      async () => {
        const [owners, children] = [await world.shards(secrets), await world.shards(configMaps)];
        const onTheMove = await client.listPage(secrets, 'metadata', {
          namespace,
          labelSelector: drainLabel(ring),
        });
        const together = [...owners].every(([name, shard]) => children.get(`checksums-${name}`) === shard);
        const found = new Set(owners.values());
        const areThese = found.size === names.length && names.every((name) => found.has(name));
        return together && areThese && onTheMove.items.length === 0;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    return Math.round(performance.now() - since);
  };

  await t.test('objects get a shard, though they can’t be watched', async () => {
    for (let i = 0; i < secretCount; i += 1) await world.create(secrets, `s${i}`);
    t.diagnostic(`after ${await spreadOver('a', 'b')} ms`);
  });
  await t.test('the status says what would be better', async () => {
    await world.ready(/^True .*work faster.*resources: \[configmaps, secrets\], verbs: \[(get, )?watch\]/);
  });
  await t.test('a shard that joins gets its share, one that is killed loses it', async () => {
    const third = await shardProcess(t, world, 'c');
    t.diagnostic(`joined after ${await spreadOver('a', 'b', 'c')} ms`);
    await third.stop('SIGKILL');
    t.diagnostic(`gone after ${await spreadOver('a', 'b')} ms`);
  });
  await t.test('an object that is created later has a shard within 20 s', async () => {
    await world.create(secrets, 'later');
    const tookMs = await world.assigned(secrets, 'later');
    t.diagnostic(`after ${tookMs} ms`);
    assert.ok(tookMs <= 20_000, `${tookMs} ms`);
  });
  await t.test('the webhook reads controllers by a list', async () => {
    await sharder.stop();
    const port = await freePort();
    const webhook = {
      server: { bindAddress: `127.0.0.1:${port}` },
      config: { clientConfig: { url: `https://127.0.0.1:${port}` } },
    };
    await world.sharder(webhook, { metrics: { bindAddress: metricsAddress } });
    let count = 0;
    const name = (): string => `webhook-${count}`;
    const owner = await waitFor('the webhook to answer', async () => {
      count += 1;
      const created = await world.create(secrets, name());
      return created.shard === undefined ? undefined : created;
    });
    const child = await world.create(configMaps, 'child', controlledBy(name(), owner.uid));
    assert.equal(child.shard, owner.shard);
  });
  await t.test('docs/metrics.md names all metrics that the sharder has, and no others', async () => {
    const answer = await fetch(`http://${metricsAddress}/metrics`);
    const types = [...(await answer.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    const exposed = types.flatMap(([, name = '', type]) => (isDefault(name) ? [] : [`${name} ${type}`]));
    assert.deepEqual(
      exposed.toSorted(),
      documentedMetrics('sharder')
        .map(({ name, type }) => `${name} ${type}`)
        .toSorted(),
    );
  });
  await t.test('granted, the right is no longer named', async () => {
    await world.ready(/verbs: \[get, watch\]/);
    const verbs = ['list', 'patch', 'watch'];
    await world.grant({ secrets: { verbs }, configmaps: { verbs } });
    t.diagnostic(`after ${await world.ready(/^True (?!.*watch)/)} ms`);
  });
});

const serviceAccounts: Resource = {
  group: '',
  version: 'v1',
  resource: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};
const gizmos: Resource = {
  group: 'example.com',
  version: 'v1',
  resource: 'gizmos',
  kind: 'Gizmo',
  namespaced: true,
};
const gizmoDefinition = {
  metadata: { name: 'gizmos.example.com' },
  spec: {
    group: gizmos.group,
    scope: 'Namespaced',
    names: { kind: gizmos.kind, plural: gizmos.resource },
    versions: [
      {
        name: gizmos.version,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

test('a resource that may not be used, or isn’t there, keeps no other waiting', {
  timeout: 240_000,
}, async (t) => {
  const world = await RightsWorld.start(t, 'ring', [ofSecrets, { group: '', resource: 'serviceaccounts' }]);
  const { client } = world;
  for (const shard of ['a', 'b']) await createShard(client, world.ring, shard);
  const pairs: Rights = { secrets: { verbs: all }, configmaps: { verbs: all } };
  const rights: Rights = { ...pairs, serviceaccounts: { verbs: all } };
  await world.grant(pairs);
  await world.sharder(off);
  let count = 0;
  const othersGoOn = async (): Promise<void> => {
    count += 1;
    await world.create(secrets, `other-${count}`);
    const tookMs = await world.assigned(secrets, `other-${count}`);
    assert.ok(tookMs <= 10_000, `${tookMs} ms`);
  };

  await t.test('what may not be listed is named with the rule to add, by status and Event', async () => {
    await world.create(serviceAccounts, 'sa');
    const rule =
      /serviceaccounts.*\{apiGroups: \[""\], resources: \[serviceaccounts\], verbs: \[list, patch\]\}/;
    await world.ready(new RegExp(`^False MissingRights: .*${rule.source}`));
    await world.told('MissingRights', rule);
    await othersGoOn();
    assert.deepEqual([...(await world.shards(serviceAccounts)).values()], [undefined]);
  });
  await t.test('so is what may be listed and not patched', async () => {
    await world.grant({ ...pairs, serviceaccounts: { verbs: ['get', 'list', 'watch'] } });
    await world.logged(/"resource":"serviceaccounts","verb":"patch"/);
    await world.ready(/^False MissingRights: .*resources: \[serviceaccounts\], verbs: \[list, patch\]/);
    await othersGoOn();
  });
  await t.test('granted, its objects have a shard within 20 s', async () => {
    await world.grant(rights);
    const tookMs = await world.assigned(serviceAccounts, 'sa');
    t.diagnostic(`after ${tookMs} ms, Ready after ${await world.ready(/^True /)} ms more`);
    assert.ok(tookMs <= 20_000, `${tookMs} ms`);
  });
  await t.test('a controlled resource of which the rights are taken away is named', async () => {
    await world.grant({ secrets: { verbs: all }, serviceaccounts: { verbs: all } });
    const { uid } = await world.create(secrets, 'owner');
    await world.create(configMaps, 'child', controlledBy('owner', uid));
    await world.ready(/^False MissingRights: .*resources: \[configmaps\], verbs: \[list, patch\]/);
    await othersGoOn();
    await world.assigned(secrets, 'owner');
    assert.equal((await world.shards(configMaps)).get('child'), undefined);
  });
  await t.test('granted again, the controlled object follows its owner within 20 s', async () => {
    await world.grant(rights);
    const tookMs = await world.assigned(configMaps, 'child');
    t.diagnostic(`after ${tookMs} ms, Ready after ${await world.ready(/^True /)} ms more`);
    assert.ok(tookMs <= 20_000, `${tookMs} ms`);
    assert.equal((await world.shards(configMaps)).get('child'), (await world.shards(secrets)).get('owner'));
  });

  const define = async (): Promise<void> => {
    await waitFor('the definition', () =>
      client.create(customResourceDefinitions, gizmoDefinition).then(
        () => true,
        () => false,
      ),
    );
    await waitFor('gizmos to be served', () =>
      client.listPage(gizmos, 'metadata', {}).then(
        () => true,
        () => false,
      ),
    );
  };
  await t.test('a custom resource whose definition is removed is named', async () => {
    await world.grant({ ...rights, gizmos: { group: gizmos.group, verbs: all } });
    await define();
    const value = { group: gizmos.group, resource: gizmos.resource };
    const operations = [{ op: 'add' as const, path: '/spec/resources/-', value }];
    await client.patch(controllerRings, { name: world.ring }, { type: 'json', operations });
    await world.create(gizmos, 'before');
    await world.assigned(gizmos, 'before');
    await world.ready(/^True /);
    await client.delete(customResourceDefinitions, { name: gizmoDefinition.metadata.name });
    const tookMs = await world.ready(/^False UnknownResource: .*gizmos\.example\.com/);
    t.diagnostic(`after ${tookMs} ms`);
    await world.told('UnknownResource', /gizmos\.example\.com/);
    await othersGoOn();
  });
  await t.test('when it comes back, its objects have a shard within 20 s', async () => {
    await define();
    await world.create(gizmos, 'after');
    const tookMs = await world.assigned(gizmos, 'after');
    t.diagnostic(`after ${tookMs} ms`);
    assert.ok(tookMs <= 20_000, `${tookMs} ms`);
    await world.ready(/^True /);
  });
});
