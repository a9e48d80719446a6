import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../hand-made.ts';
import { Availability } from './availability.ts';

test('a Secret that could be created is fine, one that could not is told', () => {
  const create = { kind: 'create', at: 1, object: 'test/u', error: undefined } as const;
  assert.deepEqual(judge(new Availability(), [create]), []);
  const [violation] = judge(new Availability(), [{ ...create, error: 'Internal error: webhook' }]);
  assert.equal(violation?.object, 'test/u');
  assert.match(violation?.message ?? '', /could not be created: Internal error: webhook/);
});
