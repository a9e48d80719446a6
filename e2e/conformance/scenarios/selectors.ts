import assert from 'node:assert/strict';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { type Scenario, type Stage, thing } from '../stage.ts';
import { widgets } from '../world.ts';

async function objects({ api }: Stage): Promise<void> {
  await api.create(configMaps, thing('both', { labels: { app: 'web', tier: '1' } }));
  await api.create(configMaps, thing('empty', { labels: { app: '' } }));
  await api.create(configMaps, thing('none'));
  await api.create(configMaps, thing('other', { labels: { app: 'db', tier: '2' } }));
  await api.create(configMaps, thing('prefixed', { labels: { 'example.com/app': 'web' } }));
}

const all = ['both', 'empty', 'none', 'other', 'prefixed'];

/** Label selectors, and what they select. */
const labelSelectors: Array<[selector: string, selected: string[]]> = [
  ['', all],
  ['app', ['both', 'empty', 'other']],
  ['!app', ['none', 'prefixed']],
  ['app=web', ['both']],
  ['app==web', ['both']],
  ['app = web', ['both']],
  ['app=', ['empty']],
  ['app!=web', ['empty', 'none', 'other', 'prefixed']],
  ['app!=', ['both', 'none', 'other', 'prefixed']],
  ['app in (web,db)', ['both', 'other']],
  ['app in ( web , db )', ['both', 'other']],
  ['app in (web)', ['both']],
  ['app in ()', ['empty']],
  ['app in (,web)', ['both', 'empty']],
  ['app notin (web,db)', ['empty', 'none', 'prefixed']],
  ['app,app notin (web)', ['empty', 'other']],
  ['app notin (web),!tier', ['empty', 'none', 'prefixed']],
  ['app=web,tier=1', ['both']],
  ['app=web,tier=2', []],
  ['tier>1', ['other']],
  ['tier<2', ['both']],
  ['tier>0,tier<3', ['both', 'other']],
  ['example.com/app=web', ['prefixed']],
  ['!example.com/app', ['both', 'empty', 'none', 'other']],
  [' app , tier ', ['both', 'other']],
];

const wrongLabelSelectors = [
  'app=web=x',
  'app==',
  'app in',
  'app in (web',
  'app in web',
  'app web',
  '=web',
  'app=web,,tier',
  ',',
  'app,',
  'a b=c',
  '-app',
  'app=-web',
  'app in (-)',
  'tier>x',
  'a/b/c',
  '!app=web',
  'x'.repeat(64),
  'in',
  'app notin',
  '!',
];

const fieldSelectors: Array<[selector: string, selected: string[]]> = [
  ['metadata.name=both', ['both']],
  ['metadata.name==both', ['both']],
  ['metadata.name!=both,metadata.name!=kube-root-ca.crt', ['empty', 'none', 'other', 'prefixed']],
  ['metadata.name=missing', []],
  ['metadata.name=both,metadata.name=none', []],
  ['metadata.name=', []],
  ['metadata.namespace=elsewhere', []],
];

const wrongFieldSelectors = [
  'metadata.name',
  'metadata.uid=x',
  'spec.x=1',
  'data.a=1',
  'metadata.labels=x',
  'metadata.name in (a)',
  '!metadata.name',
  'metadata.name=a=b',
];

const names = (page: { items: Array<{ metadata: { name: string } }> }): string[] =>
  page.items.map(({ metadata }) => metadata.name);

/** Which objects lists select. */
export const selectors: Scenario[] = [
  {
    name: 'label selectors',
    async play(stage) {
      await objects(stage);
      for (const [labelSelector, selected] of labelSelectors) {
        const page = await stage.api.page(configMaps, { labelSelector, form: 'metadata' });
        assert.deepEqual(names(page), selected, labelSelector);
      }
    },
  },
  {
    name: 'label selectors that are none',
    async play({ api, refused, attempt }) {
      for (const labelSelector of wrongLabelSelectors) {
        await attempt(api.page(configMaps, { labelSelector }));
      }
      await refused('400 BadRequest', api.page(widgets, { labelSelector: 'a=b=c' }));
    },
  },
  {
    name: 'field selectors',
    async play(stage) {
      await objects(stage);
      const { api, namespace } = stage;
      for (const [fieldSelector, selected] of fieldSelectors) {
        const page = await api.page(configMaps, { fieldSelector, form: 'metadata' });
        assert.deepEqual(names(page), selected, fieldSelector);
      }
      const here = `metadata.namespace=${namespace},metadata.name=none`;
      assert.deepEqual(names(await api.page(configMaps, { fieldSelector: here })), ['none']);
      await api.create(widgets, thing('a'));
      await api.create(widgets, thing('b'));
      assert.deepEqual(names(await api.page(widgets, { fieldSelector: 'metadata.name!=a' })), ['b']);
    },
  },
  {
    name: 'field selectors that are none',
    async play({ api, refused }) {
      for (const fieldSelector of wrongFieldSelectors) {
        await refused('400 BadRequest', api.page(configMaps, { fieldSelector }));
      }
      await refused('400 BadRequest', api.page(widgets, { fieldSelector: 'spec.size=1' }));
    },
  },
  {
    name: 'a field of its own kind',
    async play({ api }) {
      await api.create(secrets, Object.assign(thing('opaque'), { type: 'Opaque' }));
      await api.create(secrets, Object.assign(thing('mine'), { type: 'example.com/mine' }));
      const page = await api.page(secrets, { fieldSelector: 'type=example.com/mine' });
      assert.deepEqual(names(page), ['mine']);
    },
  },
  {
    name: 'label and field selectors together',
    async play(stage) {
      await objects(stage);
      const both = { labelSelector: 'app', fieldSelector: 'metadata.name!=both' };
      assert.deepEqual(names(await stage.api.page(configMaps, both)), ['empty', 'other']);
    },
  },
  {
    name: 'a list of all namespaces',
    async play(stage) {
      const { api, world, namespace } = stage;
      const elsewhere = await stage.elsewhere();
      const labels = { only: namespace };
      await world.client.create(configMaps, thing('b', { namespace: elsewhere, labels }));
      await api.create(configMaps, thing('a', { labels }));
      await api.create(configMaps, thing('c', { labels }));
      const page = await world.client.listPage(configMaps, 'metadata', {
        labelSelector: `only=${namespace}`,
      });
      assert.deepEqual(new Set(names(page)), new Set(['a', 'b', 'c']));
    },
  },
];
