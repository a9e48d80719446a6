import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerReference } from '../author/references.ts';
import { watch } from '../controller/definition.ts';
import { onlyMetadata } from '../kube/only-metadata.ts';
import type { KubeObject } from '../kube/types.ts';
import { silentLogger } from '../runtime/logger.ts';
import { Manager } from './manager.ts';
import type { ManagerOptions } from './manager-options.ts';
import {
  type ConfigMap,
  configMaps,
  ref,
  SiteWorld,
  settledMs,
  shard,
  type Theme,
  themes,
  type Website,
  websites,
} from './shard-manager-fixture.ts';

/** Pages of which the cache holds the metadata alone, and what a reconcile sees of them. */
async function start(world: SiteWorld, options: Partial<ManagerOptions>, whole = false) {
  const { api, clock } = world;
  const manager = new Manager({ client: api, clock, logger: silentLogger, name: 'sites', ...options });
  const known = manager.cache(onlyMetadata(configMaps), {
    indexes: { color: ({ metadata }) => [metadata.annotations?.['color'] ?? ''] },
  });
  if (whole) manager.cache(configMaps);
  const seen: KubeObject[] = [];
  const reconciled: string[] = [];
  manager.controller({
    name: 'site',
    for: websites,
    owns: [onlyMetadata(configMaps)],
    watches: [watch(onlyMetadata(themes), ({ metadata }) => [ref(metadata.labels?.['site'] ?? '')])],
    async reconcile({ object, client, name, owned }) {
      reconciled.push(name);
      seen.push(...owned(configMaps));
      const metadata = {
        ...ref(name),
        annotations: { color: 'red' },
        ownerReferences: [controllerReference(object)],
      };
      const page = await client.apply(configMaps, { metadata, data: { color: 'red' } });
      assert.deepEqual(page.data, { color: 'red' });
    },
  });
  void manager.start(new AbortController().signal);
  await clock.advance(settledMs);
  return { known, seen, reconciled };
}

for (const [what, options] of [
  ['a shard', shard('a')],
  ['a manager without one', {}],
] as const) {
  test(`${what} may hold the metadata of a resource alone; what is applied is compared with the live object`, async () => {
    const world = new SiteWorld();
    world.website('one', 'a');
    const { known, seen, reconciled } = await start(world, options);
    assert.deepEqual(world.page('one')?.data, { color: 'red' });
    assert.deepEqual(
      known.byIndex('color', 'red').map(({ metadata }) => metadata.name),
      ['one'],
    );
    const noted = (): number => world.api.writes().filter(({ resource }) => resource === 'configmaps').length;
    const before = noted();
    world.api.change<Website>(websites, ref('one'), ({ spec }) => {
      spec.theme = 'other';
    });
    await world.clock.advance(100);
    assert.equal(noted(), before, 'nothing would change');
    assert.ok(reconciled.length >= 2);
    world.api.change<ConfigMap>(configMaps, ref('one'), (page) => {
      page.data = { color: 'drifted' };
    });
    await world.clock.advance(100);
    assert.deepEqual(world.page('one')?.data, { color: 'red' });
    assert.equal(noted(), before + 1);
    assert.ok(seen.length > 0);
    for (const object of [...seen, ...known.list()]) {
      assert.ok(!('data' in object), 'metadata alone');
      assert.equal(object.kind, 'ConfigMap');
    }
    world.api.seed<Theme>(themes, {
      metadata: { name: 'plain', labels: { site: 'one' } },
      spec: { color: 'grey' },
    });
    const times = reconciled.length;
    await world.clock.advance(100);
    assert.equal(reconciled.length, times + 1);
  });

  test(`${what} holds whole objects when anybody in it asks for them`, async () => {
    const world = new SiteWorld();
    world.website('one', 'a');
    const { known } = await start(world, options, true);
    assert.deepEqual(
      known.list().map((object) => 'data' in object && object.data),
      [{ color: 'red' }],
    );
  });
}
