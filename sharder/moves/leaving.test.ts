import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import type { RingScope } from '../rings/ring-scope.ts';
import { MoveLimit } from './move-limit.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

interface Left {
  /** Of the ring of Secrets that control ConfigMaps. */
  scope?: (scope: RingScope) => Partial<RingScope>;
}

async function start(prepare: (world: RingWorld) => void, { scope }: Left = {}, ...shards: string[]) {
  const world = new RingWorld();
  prepare(world);
  await world.withShards(...(shards.length > 0 ? shards : ['a', 'b']));
  world.moves.scope = { ...world.moves.scope, ...scope?.(world.moves.scope) };
  const clean = { times: 0 };
  const lead = async (signal: AbortSignal): Promise<void> => {
    const mover = new RingMover(world.moves, 300_000, {
      noneLeft: () => Promise.resolve(void (clean.times += 1)),
    });
    world.membership.onChange(() => mover.membershipChanged());
    void mover.run(signal);
    await world.clock.advance(100);
  };
  const stop = new AbortController();
  await lead(stop.signal);
  return { world, lead, stop, clean };
}

/** The ring no longer has Secrets, and what they control. */
const noSecrets = ({ mains }: RingScope): Partial<RingScope> => ({ mains: [], former: mains });

const pair = (world: RingWorld, name: string, shard: string, namespace = 'default', labels = {}): void => {
  world.configMap(`of-${name}`, world.secret(name, shard, labels, namespace), shard);
};
const labelled = (world: RingWorld): string[] =>
  [...world.api.all<KubeObject>(secrets), ...world.api.all<KubeObject>(configMaps)]
    .filter(({ metadata }) => metadata.labels?.[assigned] !== undefined)
    .map(({ metadata }) => metadata.name);

test('objects of a namespace that is no longer selected are drained to nobody, the others stay', async () => {
  const { world } = await start((empty) => {
    pair(empty, 'left', 'a', 'foreign');
    pair(empty, 'stays', 'b');
    pair(empty, 'unknown', 'b', 'unheard-of');
  });
  await world.clock.advance(2_000);
  assert.deepEqual(world.relabelled(), ['secrets/left']);
  const { labels } = world.api.peek<KubeObject>(secrets, ref('left', 'foreign'))?.metadata ?? {};
  assert.deepEqual(labels, { [assigned]: 'a', [drain]: '' });
  world.obey();
  await world.clock.advance(5_000);
  assert.deepEqual(labelled(world).toSorted(), ['of-stays', 'of-unknown', 'stays', 'unknown']);
});

test('so are those of a resource that is no longer the ring’s', async () => {
  const { world, clean } = await start(
    (empty) => {
      for (let number = 0; number < 20; number += 1) pair(empty, `s${number}`, 'a');
    },
    { scope: noSecrets },
  );
  world.obey();
  await world.clock.advance(5_000);
  assert.deepEqual(labelled(world), []);
  assert.equal(clean.times, 0, 'somebody with an older view may still label one');
  world.secret('late', 'a');
  await world.clock.advance(15_000);
  assert.deepEqual(labelled(world), []);
  await world.clock.advance(30_000);
  assert.equal(clean.times, 1);
});

test('an object that was on its way to another shard goes to nobody instead', async () => {
  const { world } = await start((empty) => pair(empty, 's', 'a', 'foreign', { [drain]: 'b' }));
  await world.clock.advance(2_000);
  assert.equal(world.labels(secrets, 's', 'foreign')[drain], '');
});

test('what a foreign shard leaves of the controlled objects is done after all owners are let go', async () => {
  const { world } = await start(
    (empty) => {
      pair(empty, 's', 'a');
      pair(empty, 'slow', 'b');
    },
    { scope: noSecrets },
  );
  await world.clock.advance(1_000);
  world.api.label(secrets, ref('s'), { [assigned]: undefined, [drain]: undefined });
  await world.clock.advance(5_000);
  assert.equal(world.childShard('of-s'), 'a');
  world.api.label(secrets, ref('slow'), { [assigned]: undefined, [drain]: undefined });
  await world.clock.advance(30_000);
  assert.deepEqual(labelled(world), []);
});

test('the sharder itself removes the labels of a dead shard’s objects, the controlled ones’ first', async () => {
  const { world } = await start((empty) => pair(empty, 's', 'dead', 'foreign'), {}, 'b');
  assert.equal(world.labels(secrets, 's', 'foreign')[drain], '', 'it may live');
  world.api.requests.length = 0;
  await world.clock.advance(20_000);
  assert.deepEqual(world.relabelled(), ['configmaps/of-s', 'secrets/s']);
  assert.deepEqual(labelled(world), []);
  assert.deepEqual(world.labels(secrets, 's', 'foreign'), {});
});

test('also when it dies while it was asked to let go', async () => {
  const { world } = await start((empty) => pair(empty, 's', 'a'), { scope: noSecrets });
  await world.clock.advance(1_000);
  assert.equal(world.drainOf('s'), '');
  world.release('a');
  await world.clock.advance(1_500);
  assert.deepEqual(labelled(world), []);
});

test('a shard that is known to be dead is not asked', async () => {
  const { world } = await start(
    (empty) => {
      empty.announce('gone');
      empty.release('gone');
      pair(empty, 's', 'gone', 'foreign');
    },
    {},
    'b',
  );
  await world.clock.advance(2_000);
  assert.deepEqual(world.relabelled(), ['configmaps/of-s', 'secrets/s']);
});

test('an object whose namespace is selected again stays with its shard', async () => {
  const { world, lead, stop } = await start((empty) => pair(empty, 's', 'a', 'foreign'));
  await world.clock.advance(1_000);
  assert.equal(world.labels(secrets, 's', 'foreign')[drain], '');
  stop.abort();
  world.namespaces.set('foreign', true);
  await lead(world.signal);
  await world.clock.advance(2_000);
  assert.equal(world.labels(secrets, 's', 'foreign')[drain], 'a');
});

test('a resource that its main one no longer controls loses its labels, and the main one keeps its', async () => {
  const { world } = await start((empty) => pair(empty, 's', 'a'), {
    scope: ({ mains }) => ({
      mains: mains.map(({ resource }) => ({ resource, controlled: [] })),
      former: mains,
    }),
  });
  await world.clock.advance(3_000);
  assert.deepEqual(labelled(world), ['s']);
  assert.equal(world.drainOf('s'), undefined);
});

test('a main resource that is only controlled now: what its controller has stays, the rest leaves', async () => {
  const owners: RingScope['mains'] = [{ resource: configMaps, controlled: [] }];
  const { world } = await start(
    (empty) => {
      pair(empty, 's', 'a');
      empty.api.seed<KubeObject>(configMaps, {
        metadata: { ...ref('own'), labels: { [assigned]: 'b' } },
      });
    },
    { scope: () => ({ former: owners }) },
  );
  await world.clock.advance(3_000);
  assert.deepEqual(world.labels(configMaps, 'own'), { [assigned]: 'b', [drain]: '' });
  assert.deepEqual(world.labels(configMaps, 'of-s'), { [assigned]: 'a' });
});

test('a new leader goes on where the last one ended, after whichever write that was', async () => {
  for (let writes = 0; writes <= 6; writes += 1) {
    const world = new RingWorld();
    for (const name of ['s1', 's2']) pair(world, name, 'gone');
    await world.withShards('b');
    const scope = { ...world.moves.scope, ...noSecrets(world.moves.scope) };
    const fence = new WriteFence(world.clock, 1_000_000);
    fence.renewed(world.clock.monotonic());
    let written = 0;
    const dying: Pick<ApiClient, 'patchMetadata'> = {
      patchMetadata: (...parameters) => {
        written += 1;
        if (written >= writes) fence.close();
        return world.api.patchMetadata(...parameters);
      },
    };
    if (writes === 0) fence.close();
    const limit = new MoveLimit(world.clock, 1);
    const moves = { ...world.moves, scope, fence, writer: world.writer(dying, { fence, limit }), limit };
    const ended = new AbortController();
    const first = new RingMover(moves, 300_000);
    world.membership.onChange(() => first.membershipChanged());
    void first.run(ended.signal);
    await world.clock.advance(20_000);
    ended.abort();
    assert.equal(written, writes);
    assert.equal(labelled(world).length, writes < 3 ? 4 : 6 - writes);
    const next = new RingMover({ ...world.moves, scope }, 300_000);
    world.membership.onChange(() => next.membershipChanged());
    void next.run(world.signal);
    await world.clock.advance(30_000);
    assert.deepEqual(labelled(world), [], `after ${writes} writes`);
  }
});

test('what is controlled and main at once is let go by its own shard, after its owner', async () => {
  const { world } = await start((empty) => pair(empty, 's', 'a'), {
    scope: ({ mains }) => ({ mains: [], former: [...mains, { resource: configMaps, controlled: [] }] }),
  });
  await world.clock.advance(3_000);
  assert.deepEqual(world.labels(configMaps, 'of-s'), { [assigned]: 'a' });
  world.api.label(secrets, ref('s'), { [assigned]: undefined, [drain]: undefined });
  await world.clock.advance(10_000);
  assert.deepEqual(world.labels(configMaps, 'of-s'), { [assigned]: 'a', [drain]: '' });
  world.release('a');
  await world.clock.advance(3_000);
  assert.deepEqual(labelled(world), []);
});

test('an object that is being deleted leaves like any other', async () => {
  const { world } = await start((empty) => {
    pair(empty, 's', 'a', 'foreign');
    empty.api.change<KubeObject>(secrets, ref('s', 'foreign'), ({ metadata }) => {
      metadata.finalizers = ['example.com/held'];
    });
  });
  await world.api.delete(secrets, ref('s', 'foreign'));
  await world.clock.advance(2_000);
  assert.equal(world.labels(secrets, 's', 'foreign')[drain], '');
});

test('one that can not be changed keeps no other one from leaving, and is tried less and less often', async () => {
  const { world } = await start((empty) => {
    pair(empty, 'held', 'a', 'foreign');
    pair(empty, 's', 'a', 'foreign');
    empty.api.fault({ on: patchOf('secrets', 'held'), error: new Error('no'), times: 10_000 });
  });
  await world.clock.advance(300_000);
  assert.equal(world.labels(secrets, 's', 'foreign')[drain], '');
  const tries = world.relabelled().filter((name) => name === 'secrets/held').length;
  assert(tries >= 3 && tries <= 15, String(tries));
});

test('a shard that does not let go is not a reason to list everything all the time', async () => {
  const { world } = await start((empty) => {
    pair(empty, 's', 'a', 'foreign');
    pair(empty, 'stays', 'b');
  });
  // Until it is overdue, what it may leave behind is looked for, too.
  await world.clock.advance(400_000);
  world.api.requests.length = 0;
  await world.clock.advance(600_000);
  const lists = world.api.requests.filter(
    ({ verb, resource, labelSelector }) =>
      verb === 'list' && resource === 'secrets' && labelSelector === assigned,
  );
  assert(lists.length <= 2, String(lists.length));
  world.obey();
  await world.clock.advance(5_000);
  assert.deepEqual(labelled(world).toSorted(), ['of-stays', 'stays']);
});

test('with nothing to do, all is listed at the start, once more when older views are gone, and then hourly', async () => {
  const { world, clean } = await start((empty) => pair(empty, 's', 'a'), {}, 'a');
  await world.clock.advance(30_000);
  assert.equal(clean.times, 1);
  world.api.requests.length = 0;
  await world.clock.advance(200_000);
  assert.deepEqual(
    world.api.requests.filter(({ verb, resource }) => verb === 'list' && !resource.startsWith('leases')),
    [],
  );
  pair(world, 'astray', 'a', 'foreign');
  await world.clock.advance(3_600_000);
  assert.equal(world.labels(secrets, 'astray', 'foreign')[drain], '');
});
