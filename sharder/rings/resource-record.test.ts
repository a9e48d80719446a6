import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { controllerRings } from '@controller-sharding/shared/kube/resources.ts';
import { resourcesAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { ResourceRecord } from './resource-record.ts';

const ref = { name: 'ring' };
const secrets = [{ group: '', resource: 'secrets', controlledResources: [] }];
const { signal } = new AbortController();

function start(annotations?: Record<string, string>) {
  const api = new MemoryApi(new FakeClock(), {
    resources: [{ ...controllerRings, statusSubresource: true }],
  });
  const metadata = { ...ref, ...(annotations && { annotations }) };
  api.seed<ControllerRing>(controllerRings, { metadata, spec: { resources: secrets } });
  const read = (): Promise<ControllerRing> => api.get<ControllerRing>(controllerRings, ref);
  const change = (spec: ControllerRing['spec']): unknown =>
    api.change<ControllerRing>(controllerRings, ref, (ring) => {
      if (spec) ring.spec = spec;
    });
  const annotation = async () => (await read()).metadata.annotations?.[resourcesAnnotation];
  return { api, record: new ResourceRecord(api), read, change, annotation };
}

for (const annotations of [undefined, { theirs: 'stays' }]) {
  test(`it is written once, ${annotations ? 'beside other annotations' : 'where there are none'}`, async () => {
    const { api, record, read } = start(annotations);
    assert.equal(await record.add(await read(), signal), true);
    const ring = await read();
    assert.deepEqual(ring.metadata.annotations, {
      ...annotations,
      [resourcesAnnotation]: JSON.stringify(secrets),
    });
    assert.equal(await record.add(ring, signal), true);
    assert.equal(api.writes().length, 1);
  });
}

test('a status that was written meanwhile makes no difference', async () => {
  const { api, record, read, annotation } = start();
  const ring = await read();
  const body = { status: { shards: 1, availableShards: 1 } };
  await api.patchStatus(controllerRings, ref, { type: 'merge', body });
  assert.equal(await record.add(ring, signal), true);
  assert.equal(await annotation(), JSON.stringify(secrets));
});

test('nothing is written for a spec that is another one by now', async () => {
  const { record, read, change, annotation } = start();
  const ring = await read();
  change({ resources: [] });
  assert.equal(await record.add(ring, signal), false);
  assert.equal(await annotation(), undefined);
});

test('nothing is dropped that somebody else has noted meanwhile', async () => {
  const { record, read, change, annotation } = start();
  await record.add(await read(), signal);
  change({ resources: [] });
  const ring = await read();
  change({ resources: secrets });
  change({ resources: [] });
  assert.equal(await record.drop(ring, signal), false);
  assert.equal(await annotation(), JSON.stringify(secrets));
  assert.equal(await record.drop(await read(), signal), true);
  assert.equal(await annotation(), '[]');
});

test('a ring that is gone, or another one of its name, is left alone', async () => {
  const { api, record, read, annotation } = start();
  const ring = await read();
  api.remove(controllerRings, ref);
  assert.equal(await record.add(ring, signal), false);
  api.seed<ControllerRing>(controllerRings, { metadata: ref, spec: { resources: secrets } });
  assert.equal(await record.add(ring, signal), false);
  assert.equal(await annotation(), undefined);
});

test('what the API server refuses is told', async () => {
  const { api, record, read } = start();
  const ring = await read();
  // 422 is a policy's answer, too, and not only that of a test that failed.
  for (const error of [
    new ApiError(403, 'Forbidden', 'no'),
    new ApiError(422, 'Invalid', 'ControllerRing "r" is invalid: no'),
  ]) {
    api.fault({ on: ({ verb }) => verb === 'patch', error });
    await assert.rejects(record.add(ring, signal), /no/);
  }
});
