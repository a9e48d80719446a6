import assert from 'node:assert/strict';
import type { ListPage } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import type { Thing } from '../recording-client.ts';
import { type Scenario, type Stage, thing } from '../stage.ts';
import { widgets } from '../world.ts';

async function five({ api }: Stage): Promise<void> {
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await api.create(widgets, thing(name, { labels: { half: name < 'c' ? 'first' : 'second' } }));
  }
}

const names = ({ items }: ListPage<Thing>): string => items.map(({ metadata }) => metadata.name).join('');

/** Lists in pages. */
export const paging: Scenario[] = [
  {
    name: 'pages follow each other and show one moment',
    async play(stage) {
      await five(stage);
      const { api } = stage;
      const first = await api.page(widgets, { limit: 2 });
      await api.create(widgets, thing('bb'));
      await api.create(widgets, thing('cc'));
      await api.delete(widgets, 'd');
      await api.patch(widgets, 'e', { type: 'merge', body: { spec: { late: true } } });
      const second = await api.page(widgets, { limit: 2, continueToken: first.continue });
      const third = await api.page(widgets, { limit: 2, continueToken: second.continue });
      assert.equal(names(first) + names(second) + names(third), 'abcde');
      assert.equal(third.continue, undefined);
      assert.equal(third.items[0]?.spec, undefined);
      assert.equal(new Set([first, second, third].map(({ resourceVersion }) => resourceVersion)).size, 1);
    },
  },
  {
    name: 'a list that fits on its page has no next one',
    async play(stage) {
      await five(stage);
      assert.equal((await stage.api.page(widgets, { limit: 5 })).continue, undefined);
      assert.ok((await stage.api.page(widgets, { limit: 4 })).continue);
      assert.equal((await stage.api.page(widgets, { limit: 0 })).items.length, 5);
    },
  },
  {
    name: 'pages of what a label selector selects',
    async play(stage) {
      await five(stage);
      const labelSelector = 'half=second';
      const first = await stage.api.page(widgets, { limit: 2, labelSelector });
      assert.equal(names(first), 'cd');
      const second = await stage.api.page(widgets, {
        limit: 2,
        labelSelector,
        continueToken: first.continue,
      });
      assert.equal(names(second), 'e');
    },
  },
  {
    name: 'pages of metadata',
    async play(stage) {
      await five(stage);
      const first = await stage.api.page(widgets, { limit: 3, form: 'metadata' });
      const next = { limit: 3, form: 'metadata', continueToken: first.continue } as const;
      assert.equal(names(await stage.api.page(widgets, next)), 'de');
    },
  },
  {
    name: 'another limit on the next page',
    async play(stage) {
      await five(stage);
      const first = await stage.api.page(widgets, { limit: 1 });
      const second = await stage.api.page(widgets, { limit: 3, continueToken: first.continue });
      assert.equal(names(second), 'bcd');
    },
  },
  {
    name: 'a token can be used twice',
    async play(stage) {
      await five(stage);
      const { continue: continueToken } = await stage.api.page(widgets, { limit: 2 });
      await stage.api.page(widgets, { limit: 2, continueToken });
      assert.equal(names(await stage.api.page(widgets, { limit: 2, continueToken })), 'cd');
    },
  },
  {
    name: 'a token whose snapshot is no longer kept',
    async play(stage) {
      await five(stage);
      const { continue: token = '' } = await stage.api.page(widgets, { limit: 2 });
      const continueToken = await stage.world.expired(token);
      await stage.refused('410 Expired', stage.api.page(widgets, { limit: 2, continueToken }));
      assert.equal(names(await stage.api.page(widgets)), 'abcde');
    },
  },
  {
    name: 'a token that is none',
    async play({ api, refused }) {
      await refused('400 BadRequest', api.page(configMaps, { limit: 2, continueToken: 'none' }));
    },
  },
  {
    name: 'an empty list',
    async play({ api }) {
      for (const form of ['full', 'metadata'] as const) {
        assert.deepEqual((await api.page(widgets, { form })).items, []);
        assert.deepEqual((await api.page(configMaps, { form })).items, []);
      }
    },
  },
];
