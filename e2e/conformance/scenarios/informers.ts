import assert from 'node:assert/strict';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { InformerStory } from '../informer-story.ts';
import { type Scenario, type Stage, thing } from '../stage.ts';
import { widgets } from '../world.ts';

const merge = (body: unknown) => ({ type: 'merge', body }) as const;
const label = (app: string | null) => merge({ metadata: { labels: { app } } });

async function three({ api }: Stage): Promise<void> {
  for (const name of ['b', 'a', 'c']) await api.create(widgets, thing(name, { labels: { app: 'web' } }));
}

const keys = ({ informer }: InformerStory): string =>
  informer.store
    .list()
    .map(({ metadata }) => metadata.name)
    .toSorted()
    .join('');

/** Informers, and what they make of an API server. */
export const informers: Scenario[] = [
  ...[true, false].map(
    (servesWatchList) =>
      ({
        name: `an informer follows what happens (${servesWatchList ? 'WatchList' : 'paged list'})`,
        play: async (stage) => {
          await three(stage);
          const story = new InformerStory(stage, widgets, { pageSize: 2 });
          story.line.servesWatchList = servesWatchList;
          await story.run();
          assert.equal(keys(story), 'abc');
          await stage.api.create(widgets, thing('d'));
          await stage.api.patch(widgets, 'a', merge({ spec: { size: 1 } }));
          await stage.api.patch(widgets, 'a', merge({ spec: { size: 1 } }));
          await stage.api.delete(widgets, 'b');
          await stage.api.create(widgets, thing('b'));
          await story.told(7);
          assert.equal(keys(story), 'abcd');
          story.note();
        },
      }) satisfies Scenario,
  ),
  {
    name: 'an informer of metadata and with a field selector',
    async play(stage) {
      const { api } = stage;
      await three(stage);
      const story = new InformerStory(stage, widgets, {
        form: 'metadata',
        fieldSelector: 'metadata.name!=b',
      });
      await story.run();
      await api.patch(widgets, 'b', merge({ spec: { size: 1 } }));
      await api.patch(widgets, 'a', merge({ spec: { size: 1 } }));
      await story.told(3);
      story.note();
    },
  },
  {
    name: 'an informer of nothing has synced',
    async play(stage) {
      const story = new InformerStory(stage, widgets);
      await story.run();
      assert.equal(story.informer.store.size, 0);
      await stage.api.create(widgets, thing('a'));
      await story.told(1);
      story.note();
    },
  },
  {
    name: 'objects that begin and cease to match the selector',
    async play(stage) {
      const { api } = stage;
      await three(stage);
      const story = new InformerStory(stage, widgets, { labelSelector: 'app=web' });
      await story.run();
      await api.patch(widgets, 'a', label('db'));
      await api.create(widgets, thing('d'));
      await api.patch(widgets, 'd', label('web'));
      await api.delete(widgets, 'a');
      await api.patch(widgets, 'b', label(null));
      await api.patch(widgets, 'b', label('web'));
      await story.told(7);
      assert.equal(keys(story), 'bcd');
      story.note();
    },
  },
  {
    name: 'objects that the informer does not keep',
    async play(stage) {
      const { api } = stage;
      await three(stage);
      const story = new InformerStory(stage, widgets, {
        keep: ({ metadata }) => metadata.labels?.['app'] === 'web',
      });
      await story.run();
      await api.create(widgets, thing('d'));
      await api.patch(widgets, 'a', label('db'));
      await api.patch(widgets, 'd', label('web'));
      await story.told(5);
      assert.equal(keys(story), 'bcd');
      story.note();
    },
  },
  {
    name: 'a watch that broke goes on where it was',
    async play(stage) {
      const { api } = stage;
      await three(stage);
      const story = new InformerStory(stage, widgets);
      await story.run();
      await api.create(widgets, thing('d'));
      await api.delete(widgets, 'd');
      await story.told(5);
      await story.cut();
      await api.delete(widgets, 'a');
      await api.create(widgets, thing('a'));
      await api.patch(widgets, 'b', merge({ spec: { size: 1 } }));
      await api.patch(widgets, 'b', merge({ spec: { size: 2 } }));
      story.line.mend();
      await story.told(9);
      assert.ok(story.line.calls.filter((call) => call !== 'watch').length === 1, 'listed once');
      story.note();
    },
  },
  ...[true, false].map(
    (servesWatchList) =>
      ({
        name: `missed history is found by another list (${servesWatchList ? 'WatchList' : 'paged list'})`,
        play: async (stage) => {
          const { api } = stage;
          await three(stage);
          const story = new InformerStory(stage, widgets, { pageSize: 2 });
          story.line.servesWatchList = servesWatchList;
          await story.run();
          await api.patch(widgets, 'c', merge({ spec: { size: 1 } }));
          await story.told(4);
          await story.cut();
          await api.delete(widgets, 'a');
          await api.delete(widgets, 'b');
          await api.create(widgets, thing('b'));
          await api.patch(widgets, 'c', merge({ spec: { size: 2 } }));
          await api.patch(widgets, 'c', merge({ spec: { size: 3 } }));
          await api.create(widgets, thing('d'));
          story.line.forgetful = true;
          story.line.mend();
          await story.told(9);
          await story.watching();
          assert.equal(keys(story), 'bcd');
          await api.delete(widgets, 'd');
          await story.told(10);
          story.note();
        },
      }) satisfies Scenario,
  ),
  {
    name: 'nothing happened meanwhile: another list tells nothing',
    async play(stage) {
      await three(stage);
      const story = new InformerStory(stage, widgets);
      await story.run();
      await story.cut();
      story.line.forgetful = true;
      story.line.mend();
      await stage.world.until('another list', () => story.line.calls.length >= 3);
      await story.watching();
      await stage.api.create(widgets, thing('d'));
      await story.told(4);
      story.note();
    },
  },
  {
    name: 'an object that ceased to match while the watch was broken',
    async play(stage) {
      const { api } = stage;
      await three(stage);
      const story = new InformerStory(stage, widgets, { labelSelector: 'app=web' });
      await story.run();
      await story.cut();
      await api.patch(widgets, 'a', label('db'));
      await api.patch(widgets, 'b', label('db'));
      await api.patch(widgets, 'b', label('web'));
      story.line.mend();
      await story.told(6);
      assert.equal(keys(story), 'bc');
      story.note();
    },
  },
  {
    name: 'an object held up by a finalizer is updated, then deleted',
    async play(stage) {
      const { api } = stage;
      await api.create(configMaps, thing('a', { finalizers: ['example.com/hold'] }));
      const story = new InformerStory(stage, configMaps);
      await story.run();
      await api.delete(configMaps, 'a');
      await api.patch(configMaps, 'a', merge({ metadata: { finalizers: null } }));
      await story.told(3);
      story.note();
    },
  },
  {
    name: 'deleted and created again while the watch was broken, and the history is kept',
    async play(stage) {
      const { api } = stage;
      await three(stage);
      const story = new InformerStory(stage, widgets, { labelSelector: 'app' });
      await story.run();
      await story.cut();
      await api.delete(widgets, 'a');
      await api.create(widgets, thing('a', { labels: { app: 'db' } }));
      await api.delete(widgets, 'b');
      story.line.mend();
      await story.told(6);
      assert.equal(keys(story), 'ac');
      story.note();
    },
  },
];
