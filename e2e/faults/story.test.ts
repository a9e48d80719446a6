import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '@controller-sharding/shared/kube/store.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { Story } from './story.ts';

const object = (uid: string, resourceVersion: string): KubeObject => ({
  metadata: { name: 'a', uid, resourceVersion },
});

type Told = (story: Story<KubeObject>) => void;

const rows: [name: string, told: Told, stored: KubeObject | undefined, flaw: RegExp | undefined][] = [
  ['nothing', () => {}, undefined, undefined],
  [
    'a life',
    (story) => {
      story.added(object('u', '1'));
      story.updated(object('u', '1'), object('u', '2'));
      story.deleted(object('u', '3'));
      story.added(object('v', '4'));
    },
    object('v', '4'),
    undefined,
  ],
  [
    'an update without add',
    (story) => story.updated(object('u', '1'), object('u', '2')),
    object('u', '2'),
    /before it was added/,
  ],
  [
    'a second add',
    (story) => {
      story.added(object('u', '1'));
      story.added(object('u', '2'));
    },
    object('u', '2'),
    /added twice/,
  ],
  [
    'a second life of the same object',
    (story) => {
      story.added(object('u', '1'));
      story.deleted(object('u', '2'));
      story.added(object('u', '1'));
    },
    object('u', '1'),
    /added after its end/,
  ],
  [
    'an update from another version',
    (story) => {
      story.added(object('u', '1'));
      story.updated(object('u', '2'), object('u', '3'));
    },
    object('u', '3'),
    /updated from what it was not/,
  ],
  [
    'an update instead of a second life',
    (story) => {
      story.added(object('u', '1'));
      story.updated(object('u', '1'), object('v', '3'));
    },
    object('v', '3'),
    /created again/,
  ],
  ['a deletion of what was not', (story) => story.deleted(object('u', '1')), undefined, /deleted before/],
  [
    'a deletion of another',
    (story) => {
      story.added(object('u', '1'));
      story.deleted(object('v', '1'));
    },
    undefined,
    /instead of another/,
  ],
  [
    'a deletion that was not told',
    (story) => story.added(object('u', '1')),
    undefined,
    /no deletion was told/,
  ],
  [
    'a version that was not told',
    (story) => story.added(object('u', '1')),
    object('u', '2'),
    /as it was never told/,
  ],
  ['an add that was not told', () => {}, object('u', '1'), /was never told/],
];

for (const [name, tell, stored, flaw] of rows) {
  test(`a story of ${name} has ${flaw ? 'a flaw' : 'none'}`, () => {
    const story = new Story<KubeObject>();
    tell(story);
    const store = new Store<KubeObject>(() => {});
    if (stored) store.set('a', stored);
    const found = story.flaw(store);
    if (flaw) assert.match(found ?? '', flaw);
    else assert.equal(found, undefined);
  });
}
