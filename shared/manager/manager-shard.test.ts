import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerReference } from '../author/references.ts';
import { type Request, watch } from '../controller/definition.ts';
import { generationChanged } from '../controller/predicate.ts';
import * as resources from '../kube/resources.ts';
import { defineResource, type KubeObject } from '../kube/types.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import { holderOf, type Lease } from '../lease/lease.ts';
import { FencedError } from '../lease/write-fence.ts';
import { silentLogger } from '../runtime/logger.ts';
import { drainLabel, shardLabel } from '../sharding/contract.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { Manager } from './manager.ts';
import type { ManagerOptions } from './manager-options.ts';

interface Website extends KubeObject {
  spec: { theme: string };
  status?: { color: string };
}
interface Theme extends KubeObject {
  spec: { color: string };
}
interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const group = { group: 'example.com', version: 'v1', statusSubresource: true };
const websites = defineResource<Website>({
  ...group,
  resource: 'websites',
  kind: 'Website',
  namespaced: true,
});
const themes = defineResource<Theme>({ ...group, resource: 'themes', kind: 'Theme', namespaced: false });
const configMaps = defineResource<ConfigMap>(resources.configMaps);

const ring = 'sites';
/** A name that objects carry already settles first. */
const settledMs = 12_000;
const ref = (name: string) => ({ namespace: 'default', name });
const shard = (name: string) => ({ shard: { ring, name, namespace: 'default', identity: name } });

/** Websites, each with a page in the color of its theme. */
class World {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(this.clock, {
    resources: [
      { ...websites, statusSubresource: true },
      { ...themes, statusSubresource: false },
    ],
  });

  website(name: string, of: string | undefined, theme = 'plain'): Website {
    const labels = of === undefined ? {} : { [shardLabel(ring)]: of };
    return this.api.seed<Website>(websites, { metadata: { ...ref(name), labels }, spec: { theme } });
  }

  theme(name: string, color: string): void {
    this.api.seed<Theme>(themes, { metadata: { name }, spec: { color } });
  }

  page(name: string): ConfigMap | undefined {
    return this.api.peek<ConfigMap>(configMaps, ref(name));
  }

  async start(user: string, options: Partial<ManagerOptions>, reconciled: string[] = []) {
    const manager = new Manager({
      client: this.api.client({ user }),
      clock: this.clock,
      logger: silentLogger,
      name: 'site-operator',
      ...options,
    });
    const sites = manager.cache(websites, { indexes: { theme: ({ spec }) => [spec.theme] } });
    const known = manager.cache(themes);
    manager.controller({
      name: 'site',
      for: websites,
      owns: [configMaps],
      watches: [
        watch(themes, ({ metadata }) => sites.byIndex('theme', metadata.name).map((site) => site.metadata)),
      ],
      async reconcile({ object: site, client, name }: Request<Website>) {
        reconciled.push(name);
        const color = known.get(site.spec.theme)?.spec.color ?? 'white';
        const owner = controllerReference(site);
        await client.apply(configMaps, {
          metadata: { ...ref(name), ownerReferences: [owner] },
          data: { color },
        });
        await client.setStatus(websites, site, { color });
      },
    });
    const stop = new AbortController();
    const result: { error?: unknown; ended: boolean } = { ended: false };
    const run = (): void => {
      void manager
        .start(stop.signal)
        .catch((error: unknown) => (result.error = error))
        .finally(() => (result.ended = true));
    };
    run();
    await this.clock.advance(settledMs);
    return { manager, stop, result, sites, reconciled };
  }

  writes(user: string) {
    return this.api
      .writes()
      .filter((request) => request.user === user && request.resource !== 'leases.coordination.k8s.io');
  }
}

test('one option makes of a controller a shard: it has its own objects only, and all that is not sharded', async () => {
  for (const options of [shard('a'), {}]) {
    const world = new World();
    world.theme('plain', 'grey');
    world.website('mine', 'a');
    world.website('theirs', 'b');
    const { sites, reconciled } = await world.start('process', options);
    const all = 'shard' in options ? ['mine'] : ['mine', 'theirs'];
    assert.deepEqual([...new Set(reconciled)], all);
    assert.deepEqual(
      sites.list().map(({ metadata }) => metadata.name),
      all,
    );
    assert.deepEqual(world.page('mine')?.data, { color: 'grey' });
    assert.equal(
      world.page('mine')?.metadata.labels?.[shardLabel(ring)],
      'shard' in options ? 'a' : undefined,
    );
    assert.deepEqual(world.api.peek<Website>(websites, ref('mine'))?.status, { color: 'grey' });
    world.api.change<Theme>(themes, { name: 'plain' }, ({ spec }) => {
      spec.color = 'blue';
    });
    await world.clock.advance(100);
    assert.deepEqual(world.page('mine')?.data, { color: 'blue' });
    assert.deepEqual(world.page('theirs')?.data, 'shard' in options ? undefined : { color: 'blue' });
  }
});

test('a change of an owned object is put right; a restart writes nothing', async () => {
  const world = new World();
  for (const name of ['one', 'two', 'three']) world.website(name, 'a');
  const first = await world.start('first', shard('a'));
  world.api.change<ConfigMap>(configMaps, ref('two'), (page) => {
    page.data = { color: 'drifted' };
  });
  await world.clock.advance(100);
  assert.deepEqual(world.page('two')?.data, { color: 'white' });
  assert.equal(world.writes('first').length, 7);
  first.stop.abort();
  await world.clock.advance(1_000);
  assert.deepEqual(first.result, { ended: true });
  const next = await world.start('next', shard('a'));
  assert.equal(next.manager.ready(), true);
  assert.deepEqual(new Set(next.reconciled), new Set(['one', 'two', 'three']));
  assert.deepEqual(world.writes('next'), []);
});

test('an object that goes from shard to shard takes its page along, and the next shard writes nothing', async () => {
  const world = new World();
  world.website('one', 'a');
  await world.start('a', shard('a'));
  const other = await world.start('b', shard('b'));
  world.api.label(websites, ref('one'), { [drainLabel(ring)]: 'b' });
  await world.clock.advance(1_000);
  assert.equal(world.api.peek<Website>(websites, ref('one'))?.metadata.labels?.[shardLabel(ring)], 'b');
  assert.equal(world.page('one')?.metadata.labels?.[shardLabel(ring)], 'b');
  assert.deepEqual(new Set(other.reconciled), new Set(['one']));
  assert.deepEqual(world.writes('b'), []);
});

test('a reconcile before the cache has seen the status that was written makes no other write', async () => {
  const world = new World();
  const { reconciled } = await world.start('process', shard('a'));
  world.api.delayWatches(({ resource }) => (resource === 'websites.example.com' ? 500 : 0));
  world.website('one', 'a');
  await world.clock.advance(800);
  assert.ok(reconciled.length >= 2, 'the page has come, the status has not');
  assert.deepEqual(
    world.writes('process').map(({ verb, resource }) => `${verb} ${resource}`),
    ['patch configmaps', 'update websites.example.com/status'],
  );
});

test('it is ready when the shard works; at the stop what is in flight ends, and the Lease is released last', async () => {
  const world = new World();
  world.website('one', 'a');
  const end = Promise.withResolvers<void>();
  const { manager, stop, result } = await world.start('process', shard('a'));
  assert.equal(manager.ready(), true);
  assert.equal(manager.shardName, 'a');
  world.api.fault({
    on: ({ verb, resource }) => verb === 'patch' && resource === 'configmaps',
    delayMs: 3_000,
  });
  world.api.remove(configMaps, ref('one'));
  await world.clock.advance(100);
  const holder = () =>
    holderOf(world.api.peek<Lease>(resources.leases, ref('a')) ?? { metadata: { name: '' } });
  stop.abort();
  await world.clock.advance(2_000);
  assert.equal(holder(), 'a');
  assert.match(String(manager.ready()), /stopping/);
  await world.clock.advance(2_000);
  assert.deepEqual(result, { ended: true });
  assert.equal(holder(), '');
  assert(world.page('one'));
  assert.deepEqual(world.api.watches, []);
  assert.equal(world.clock.pending, 0);
  end.resolve();
});

test('when its Lease is taken, every client writes no more, and the manager ends with the error', async () => {
  const world = new World();
  world.website('one', 'a');
  let seen: Request<Website> | undefined;
  const refused: unknown[] = [];
  const manager = new Manager({ client: world.api, clock: world.clock, logger: silentLogger, ...shard('a') });
  const end = Promise.withResolvers<void>();
  manager.controller({
    name: 'site',
    for: websites,
    async reconcile(request) {
      seen = request;
      await end.promise;
      await request.client
        .create(configMaps, { metadata: ref('late') })
        .catch((error: unknown) => refused.push(error));
    },
  });
  await assert.rejects(manager.client.create(configMaps, { metadata: ref('early') }), FencedError);
  let failure: unknown;
  void manager.start(new AbortController().signal).catch((error: unknown) => (failure = error));
  await world.clock.advance(settledMs);
  assert(seen);
  await manager.client.create(configMaps, { metadata: ref('meanwhile') });
  world.api.change<Lease>(resources.leases, ref('a'), ({ spec }) => {
    if (spec) spec.holderIdentity = 'somebody';
  });
  await world.clock.advance(3_000);
  assert(failure instanceof LeaseLostError);
  end.resolve();
  await world.clock.advance(100);
  assert(refused[0] instanceof FencedError);
  await assert.rejects(manager.client.create(configMaps, { metadata: ref('late') }), FencedError);
  assert.equal(world.page('late'), undefined);
});

test('a controller that is not sharded works on all objects, on the leader alone, beside one that is', async () => {
  const world = new World();
  world.website('mine', 'a');
  world.website('theirs', 'b');
  const lead = { leaderElection: { namespace: 'default', name: 'leader' } };
  const counted: string[] = [];
  for (const name of ['a', 'b']) {
    const manager = new Manager({
      client: world.api.client({ user: name }),
      clock: world.clock,
      logger: silentLogger,
      ...shard(name),
      ...lead,
    });
    manager.controller({
      name: 'site',
      for: websites,
      reconcile: async (request) => void counted.push(`${name} ${request.name}`),
    });
    manager.controller({
      name: 'count',
      for: websites,
      sharded: false,
      reconcile: async (request) => void counted.push(`${name} counts ${request.name}`),
    });
    void manager.start(new AbortController().signal);
    await world.clock.advance(settledMs);
  }
  assert.deepEqual(counted.toSorted(), ['a counts mine', 'a counts theirs', 'a mine', 'b theirs']);
});

test('predicates keep changes away that do not count', async () => {
  const world = new World();
  world.website('one', 'a');
  const seen: string[] = [];
  const manager = new Manager({ client: world.api, clock: world.clock, logger: silentLogger, ...shard('a') });
  manager.controller({
    name: 'site',
    for: websites,
    predicates: [generationChanged],
    owns: [{ resource: configMaps, predicates: [{ deleted: () => false }] }],
    watches: [watch(themes, () => [ref('one')], { predicates: [{ updated: () => false }] })],
    reconcile: async (request) => void seen.push(request.key),
  });
  void manager.start(new AbortController().signal);
  await world.clock.advance(settledMs);
  const count = async (change: () => unknown): Promise<number> => {
    seen.length = 0;
    change();
    await world.clock.advance(100);
    return seen.length;
  };
  assert.equal(await count(() => world.api.label(websites, ref('one'), { changed: 'yes' })), 0);
  const respec = () =>
    world.api.change<Website>(websites, ref('one'), ({ spec }) => void (spec.theme = 'other'));
  assert.equal(await count(respec), 1);
  const owner = world.api.peek<Website>(websites, ref('one'));
  assert(owner);
  const labels = { [shardLabel(ring)]: 'a' };
  const metadata = { ...ref('one'), labels, ownerReferences: [controllerReference(owner)] };
  assert.equal(await count(() => world.api.seed<ConfigMap>(configMaps, { metadata })), 1);
  assert.equal(await count(() => world.api.remove(configMaps, ref('one'))), 0);
  assert.equal(await count(() => world.theme('plain', 'grey')), 1);
  assert.equal(await count(() => world.api.label(themes, { name: 'plain' }, { changed: 'yes' })), 0);
});

test('what can not work is refused before anything starts', async () => {
  const world = new World();
  const options = { client: world.api, clock: world.clock, logger: silentLogger };
  const reconcile = async (): Promise<void> => {};
  const sharded = new Manager({ ...options, ...shard('a') });
  sharded.controller({ name: 'one', for: websites, sharded: false, reconcile });
  assert.throws(
    () => sharded.controller({ name: 'one', for: websites, reconcile }),
    /there is a controller one already/,
  );
  await assert.rejects(sharded.start(new AbortController().signal), /no controller that is sharded/);
  assert.throws(() => new Manager({ ...options, name: 'not a name' }), RangeError);
  const early = new Manager(options).cache(websites);
  assert.throws(() => early.get('x'), /before the manager is started/);
  assert.deepEqual(world.api.requests, []);
});
