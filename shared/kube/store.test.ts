import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type IndexFailed, Store } from './store.ts';
import { StoreIndex } from './store-index.ts';
import type { KubeObject } from './types.ts';

const object = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  metadata: { name, labels },
});
const byColour = (of: KubeObject): string[] => (of.metadata.labels?.colour ?? '').split(',').filter(Boolean);
const names = (objects: KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name);

const storeOf = (failed: IndexFailed = assert.fail): Store<KubeObject> => new Store(failed);

test('an index follows its objects', () => {
  const store = storeOf();
  store.addIndex('colour', byColour);
  store.set('a', object('a', { colour: 'red,blue' }));
  store.set('b', object('b', { colour: 'red' }));
  store.set('c', object('c', { colour: 'red,red' }));
  assert.deepEqual(names(store.byIndex('colour', 'red')), ['a', 'b', 'c']);
  store.set('a', object('a', { colour: 'blue' }));
  assert.deepEqual(names(store.byIndex('colour', 'red')), ['b', 'c']);
  assert.deepEqual(names(store.byIndex('colour', 'blue')), ['a']);
  store.delete('b');
  store.delete('b');
  store.set('c', object('c'));
  assert.deepEqual(store.byIndex('colour', 'red'), []);
  assert.deepEqual([store.size, [...store.keys()], names(store.list())], [2, ['a', 'c'], ['a', 'c']]);
});

test('whatever is set and deleted, an index answers as a search through all objects would', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const colours = fc.option(fc.array(fc.constantFrom('red', 'blue', 'bad'), { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, colours)), (operations) => {
      const failed: string[] = [];
      const store = storeOf((_error, index, key) => failed.push(`${index} ${key}`));
      store.addIndex('colour', (of) => {
        const found = byColour(of);
        if (found.includes('bad')) throw new Error('bad');
        return found;
      });
      const bad: string[] = [];
      for (const [key, colour] of operations) {
        if (colour) store.set(key, object(key, { colour: colour.join(',') }));
        else store.delete(key);
        if (colour?.includes('bad')) bad.push(`colour ${key}`);
      }
      for (const colour of ['red', 'blue']) {
        const found = store.values().filter((of) => {
          const values = byColour(of);
          return values.includes(colour) && !values.includes('bad');
        });
        assert.deepEqual(names(store.byIndex('colour', colour)).toSorted(), names([...found]).toSorted());
      }
      assert.deepEqual(failed, bad);
    }),
  );
});

test('an index keeps nothing of values that no object has any more', () => {
  const index = new StoreIndex(byColour);
  const objects = ['red', 'red', 'blue'].map((colour, i) => object(`${i}`, { colour }));
  for (const each of objects) index.add(each);
  assert.equal(index.size, 2);
  for (const each of objects) index.delete(each);
  assert.equal(index.size, 0);
});

test('an unknown index, one that comes late, and a name with two functions are errors', () => {
  const store = storeOf();
  store.addIndex('name', byColour);
  store.addIndex('name', byColour);
  assert.throws(() => store.addIndex('name', () => []), /name is there already, with another function/);
  store.set('a', object('a'));
  assert.throws(() => store.byIndex('colour', 'red'), /no index colour/);
  assert.throws(() => store.addIndex('colour', byColour), /in use/);
});
