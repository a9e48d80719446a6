/** How fast the webhosting operator is with new Websites, and what it writes when nothing has changed: nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { samples } from '@controller-sharding/operator/webhosting/samples/samples.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespace, WebsiteWorld } from './website-world.ts';

const perSecond = 20;
const count = 400;
/** So long nothing may be written after a restart. */
const quietMs = 5_000;

/** Creates Websites at an even pace; ms from before its creation until each was seen to be Ready. */
async function createAtPace(world: WebsiteWorld): Promise<number[]> {
  const made = samples({ websites: count, namespaces: 1, themes: 5, seed: 1, skipWorkload: true });
  for (const theme of made.themes) await world.client.create(resources.themes, theme);
  const began = new Map<string, number>();
  const took = new Map<string, number>();
  const watching = new AbortController();
  const seen = ({ metadata, status }: resources.Website): void => {
    const since = began.get(metadata.name);
    if (status?.phase === 'Ready' && since !== undefined && !took.has(metadata.name))
      took.set(metadata.name, performance.now() - since);
  };
  const informer = new Informer<resources.Website>({
    client: world.client,
    clock,
    logger,
    resource: resources.websites,
    form: 'full',
  });
  informer.addHandler({ added: seen, updated: (_old, now) => seen(now) });
  const running = informer.run(watching.signal);
  await informer.waitForSync(watching.signal);
  const start = performance.now();
  const creations: Promise<unknown>[] = [];
  for (const [index, website] of [...made.websites()].entries()) {
    await clock.sleep(Math.max(0, start + (index * 1_000) / perSecond - performance.now()));
    began.set(website.metadata.name, performance.now());
    const metadata = { ...website.metadata, namespace };
    creations.push(world.client.create(resources.websites, { ...website, metadata }));
  }
  await Promise.all(creations);
  await waitFor('the last Website to be Ready', () => took.size === count, { timeoutMs: 20_000 });
  watching.abort();
  await running;
  return [...took.values()].toSorted((a, b) => a - b);
}

/** Writes at the API server, by verb and resource, while something is done and for a while afterwards. */
async function writesOf(world: WebsiteWorld, act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await world.writes();
  await act();
  await clock.sleep(quietMs);
  const after = await world.writes();
  return Object.fromEntries(
    [...after].map(([what, n]) => [what, n - (before.get(what) ?? 0)] as const).filter(([, n]) => n > 0),
  );
}

test('20 Websites a second are Ready within a second; restarts of shards and singletons write nothing', {
  timeout: 240_000,
}, async (t) => {
  const world = await WebsiteWorld.start(t);
  const shards = await world.shards(['a', 'b', 'c']);
  const none = await world.writes();
  const tookMs = await createAtPace(world);
  const percentile = (p: number): number => Math.round(tookMs[Math.ceil((p / 100) * count) - 1] ?? Infinity);
  t.diagnostic(
    `creation to Ready: median ${percentile(50)} ms, p99 ${percentile(99)} ms, longest ${percentile(100)} ms`,
  );
  const spread = await world.spread();
  t.diagnostic(`Websites by shard: ${JSON.stringify(Object.fromEntries(spread))}`);
  const writes = [...(await world.writes())].map(([what, n]) => [what, n - (none.get(what) ?? 0)] as const);
  t.diagnostic(`writes: ${JSON.stringify(Object.fromEntries(writes))}`);
  assert.deepEqual(new Set(spread.keys()), new Set(['a', 'b', 'c']));
  assert.ok(percentile(99) <= 1_000, `p99 ${percentile(99)} ms`);

  await t.test('a shard that crashed, and is started again', async () => {
    await shards[0]?.stop('SIGKILL');
    const written = await writesOf(world, async () => world.shard('a'));
    assert.deepEqual(written, {});
    assert.deepEqual(await world.spread(), spread);
  });

  await t.test('its writes are counted: a Theme that changes', async () => {
    const [website] = (
      await world.client.listPage<resources.Website>(resources.websites, 'full', { namespace })
    ).items;
    const written = await writesOf(world, () =>
      world.client.patch(
        resources.themes,
        { name: website?.spec.theme ?? '' },
        {
          type: 'merge',
          body: { spec: { color: 'teal' } },
        },
      ),
    );
    assert.ok((written['APPLY configmaps'] ?? 0) > 0, JSON.stringify(written));
  });

  await t.test('a singleton in place of the shards, and another in place of that', async () => {
    // The Websites keep their labels, which mean nothing to a singleton.
    await world.killAll();
    for (const name of ['first', 'second']) {
      const written = await writesOf(world, async () => {
        const running = await world.replica(name);
        await running.untilLine(/"msg":"leading"/);
        await clock.sleep(quietMs);
        await running.stop();
      });
      assert.deepEqual(written, {}, name);
    }
  });
  world.succeeded();
});
