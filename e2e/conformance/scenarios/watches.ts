import assert from 'node:assert/strict';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import type { RecordedWatch } from '../recorded-watch.ts';
import { type Scenario, type Stage, thing } from '../stage.ts';
import { ancientVersion, widgets } from '../world.ts';

const label = (app: string | null) => ({ type: 'merge', body: { metadata: { labels: { app } } } }) as const;

/** A version that no write of this scenario has yet. */
async function now({ api }: Stage): Promise<string> {
  return (await api.page(widgets)).resourceVersion;
}

/** Objects that come to match a selector, stay, and cease to match it. */
async function relabel({ api }: Stage): Promise<void> {
  await api.create(widgets, thing('a', { labels: { app: 'web' } }));
  await api.create(widgets, thing('b', { labels: { app: 'db' } }));
  await api.patch(widgets, 'b', label('web'));
  await api.patch(widgets, 'b', { type: 'merge', body: { spec: { size: 1 } } });
  await api.patch(widgets, 'a', label('db'));
  await api.patch(widgets, 'a', { type: 'merge', body: { spec: { size: 1 } } });
  await api.patch(widgets, 'b', label(null));
  await api.delete(widgets, 'a');
  await api.create(widgets, thing('last', { labels: { app: 'web' } }));
  await api.patch(widgets, 'last', label(null));
}

/** Watches. */
export const watches: Scenario[] = [
  {
    name: 'a watch from a version gets what comes after it',
    async play({ api, watch, seen }) {
      await api.create(widgets, thing('before'));
      const made = await api.create(widgets, thing('a'));
      await api.patch(widgets, 'a', { type: 'merge', body: { spec: { size: 1 } } });
      const events = watch(widgets, { resourceVersion: made.metadata.resourceVersion });
      await api.create(widgets, thing('b'));
      await api.delete(widgets, 'a');
      await api.create(widgets, thing('a'));
      await seen(events, 4);
    },
  },
  {
    name: 'a watch without a version begins with what is there',
    async play({ api, watch, seen }) {
      for (const name of ['c', 'a', 'b']) await api.create(configMaps, thing(name));
      for (const resourceVersion of [undefined, '0']) {
        const events = watch(configMaps, { resourceVersion });
        await events.take(4);
        await api.create(configMaps, thing(`late-${resourceVersion}`));
        await events.takeUntil(`late-${resourceVersion}`);
        await seen(events, 0);
      }
    },
  },
  ...['full', 'metadata'].map(
    (form) =>
      ({
        name: `WatchList (${form}): the list, its end, and what follows`,
        play: async ({ api, watch, seen }) => {
          const options = { sendInitialEvents: true, form: form === 'full' ? 'full' : 'metadata' } as const;
          const empty = watch(widgets, options);
          await empty.take(1);
          await api.create(widgets, { ...thing('b', { labels: { x: '1' } }), spec: { size: 1 } });
          await api.create(widgets, thing('a'));
          const events = watch(widgets, options);
          await events.take(3);
          await api.delete(widgets, 'a');
          await seen(events, 4);
          await seen(empty, 4);
        },
      }) satisfies Scenario,
  ),
  {
    name: 'WatchList with selectors',
    async play({ api, watch, seen }) {
      await api.create(widgets, thing('a', { labels: { app: 'web' } }));
      await api.create(widgets, thing('b', { labels: { app: 'db' } }));
      await api.create(widgets, thing('c', { labels: { app: 'web' } }));
      const byLabel = watch(widgets, { sendInitialEvents: true, labelSelector: 'app=web' });
      const byField = watch(widgets, { sendInitialEvents: true, fieldSelector: 'metadata.name=b' });
      await byLabel.take(3);
      await byField.take(2);
      await api.patch(widgets, 'b', label('web'));
      await api.patch(widgets, 'a', label('db'));
      await seen(byLabel, 5);
      await seen(byField, 3);
    },
  },
  ...['app=web', 'app!=web', 'app', '!app', 'app in (web,db)', 'app notin (web)'].map(
    (labelSelector) =>
      ({
        name: `a watch with the label selector ${labelSelector}`,
        play: async (stage) => {
          const live = stage.watch(widgets, { labelSelector, resourceVersion: await now(stage) });
          const resourceVersion = await now(stage);
          await relabel(stage);
          const late = stage.watch(widgets, { labelSelector, resourceVersion });
          await live.takeUntil('last');
          await late.takeUntil('last');
          const matches = labelSelector.includes('!') || labelSelector.includes('notin');
          await stage.api.create(widgets, thing('end', { labels: matches ? {} : { app: 'web' } }));
          for (const events of [live, late]) {
            await events.takeUntil('end');
            await stage.seen(events, 0);
          }
        },
      }) satisfies Scenario,
  ),
  {
    name: 'a watch with a field selector',
    async play(stage) {
      const resourceVersion = await now(stage);
      await relabel(stage);
      const one = stage.watch(widgets, { fieldSelector: 'metadata.name=a', resourceVersion });
      const others = stage.watch(widgets, { fieldSelector: 'metadata.name!=a', resourceVersion });
      const both = stage.watch(widgets, {
        fieldSelector: 'metadata.name=b',
        labelSelector: 'app=web',
        resourceVersion,
      });
      await stage.seen(one, 4);
      await stage.seen(others, 6);
      await stage.seen(both, 3);
    },
  },
  {
    name: 'a watch of metadata',
    async play(stage) {
      const resourceVersion = await now(stage);
      const events = stage.watch(widgets, { resourceVersion, form: 'metadata' });
      await relabel(stage);
      await stage.seen(events, 10);
    },
  },
  {
    name: 'a watch of all namespaces, and one of another',
    async play({ api, watch, seen, elsewhere: another, world, namespace }) {
      const elsewhere = await another();
      const made = await api.create(configMaps, thing('a'));
      const options = { resourceVersion: made.metadata.resourceVersion };
      const everywhere = watch(configMaps, {
        ...options,
        namespace: undefined,
        labelSelector: `of=${namespace}`,
      });
      const there = watch(configMaps, { ...options, namespace: elsewhere, labelSelector: `of=${namespace}` });
      const labels = { of: namespace };
      await api.create(configMaps, thing('b', { labels }));
      await world.client.create(configMaps, thing('c', { namespace: elsewhere, labels }));
      await everywhere.take(2);
      await there.takeUntil('c');
      await seen(there, 1);
    },
  },
  {
    name: 'a version that is no longer kept',
    async play({ api, watch, seen }) {
      await api.create(widgets, thing('a'));
      const events = watch(widgets, { resourceVersion: ancientVersion });
      await events.ended();
      await seen(events, 0);
    },
  },
  {
    name: 'a version that is yet to come',
    async play({ api, watch, seen }) {
      const { metadata } = await api.create(widgets, thing('a'));
      const future = String(Number(metadata.resourceVersion) + 1_000_000);
      const events = watch(widgets, { resourceVersion: future, timeoutSeconds: 1 });
      await api.create(widgets, thing('b'));
      await events.ended();
      await seen(events, 0);
    },
  },
  {
    name: 'a watch with initial events from a version that is yet to come',
    async play({ api, watch, seen }) {
      const { metadata } = await api.create(widgets, thing('a'));
      const future = String(Number(metadata.resourceVersion) + 1_000_000);
      const events = watch(widgets, { resourceVersion: future, sendInitialEvents: true, timeoutSeconds: 10 });
      await events.ended();
      await seen(events, 0);
    },
  },
  {
    name: 'a watch with initial events from a version',
    async play({ api, watch, seen }) {
      const { metadata } = await api.create(widgets, thing('a'));
      await api.create(widgets, thing('b'));
      // The first one makes sure that the server's cache has both: older versions are answered from what it has.
      for (const resourceVersion of [undefined, metadata.resourceVersion, '0', ancientVersion]) {
        await seen(watch(widgets, { resourceVersion, sendInitialEvents: true }), 3);
      }
    },
  },
  {
    name: 'watches that are refused',
    async play({ watch, seen }) {
      for (const options of [
        { resourceVersion: 'abc' },
        { labelSelector: 'a=b=c' },
        { fieldSelector: 'spec.size=1' },
        { fieldSelector: 'metadata.name' },
      ]) {
        const events = watch(widgets, options);
        await events.ended();
        await seen(events, 0);
      }
      const unknown = watch({ ...widgets, resource: 'gizmos' });
      await unknown.ended();
      await seen(unknown, 0);
    },
  },
  {
    name: 'a watch ends in good order when its time is over',
    async play({ api, watch, seen, world }) {
      await api.create(widgets, thing('a'));
      const began = world.clock.monotonic();
      const events = watch(widgets, { sendInitialEvents: true, timeoutSeconds: 2 });
      await events.ended();
      const tookMs = world.clock.monotonic() - began;
      assert.ok(tookMs > 1_500 && tookMs < 8_000, `${tookMs} ms`);
      await seen(events, 2);
    },
  },
  {
    name: 'bookmarks tell how far the watch has come',
    async play({ api, watch, seen }) {
      const { metadata } = await api.create(widgets, thing('a'));
      await api.create(widgets, thing('b', { labels: { app: 'web' } }));
      const options = { labelSelector: '!app', timeoutSeconds: 10, firstBookmark: true };
      const begin = (): RecordedWatch =>
        watch(widgets, { ...options, resourceVersion: metadata.resourceVersion });
      let events = begin();
      await events.ended();
      // They usually come shortly before the end, though not always.
      for (let more = 5; events.count === 0 && more > 0; more -= 1) {
        events = begin();
        await events.ended();
      }
      await seen(events, 1);
    },
  },
];
