import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, isConflict } from '@controller-sharding/shared';
import { FakeClock, MemoryApi } from '@controller-sharding/shared/testing';

test('an update of an old version is a conflict', async () => {
  const api = new MemoryApi(new FakeClock());
  const old = await api.create(configMaps, { metadata: { namespace: 'shop', name: 'team' } });
  await api.patch(configMaps, old.metadata, { type: 'merge', body: { data: { team: 'apples' } } });
  await assert.rejects(api.update(configMaps, old), isConflict);
});
