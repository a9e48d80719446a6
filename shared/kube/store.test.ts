import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from './store.ts';
import type { KubeObject } from './types.ts';

const object = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  metadata: { name, labels },
});
const byColour = (of: KubeObject): string[] => (of.metadata.labels?.colour ?? '').split(',').filter(Boolean);
const names = (objects: KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name);

test('an index follows its objects', () => {
  const store = new Store();
  store.addIndex('colour', byColour);
  store.set('a', object('a', { colour: 'red,blue' }));
  store.set('b', object('b', { colour: 'red' }));
  assert.deepEqual(names(store.byIndex('colour', 'red')), ['a', 'b']);
  store.set('a', object('a', { colour: 'blue' }));
  assert.deepEqual(names(store.byIndex('colour', 'red')), ['b']);
  assert.deepEqual(names(store.byIndex('colour', 'blue')), ['a']);
  store.delete('b');
  store.delete('b');
  assert.deepEqual(store.byIndex('colour', 'red'), []);
  assert.deepEqual([store.size, [...store.keys()], names(store.list())], [1, ['a'], ['a']]);
});

test('an unknown index, and one that comes late, are errors', () => {
  const store = new Store();
  store.set('a', object('a'));
  assert.throws(() => store.byIndex('colour', 'red'), /no index colour/);
  assert.throws(() => store.addIndex('colour', byColour), /in use/);
});
