import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import type { ApiRequest } from '@controller-sharding/shared/testing/api-faults.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { ResourceAccess } from './resource-access.ts';

const ref = { namespace: 'default', name: 's' };
const noChange = { type: 'merge' as const, body: {} };

function start() {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  api.seed<KubeObject>(secrets, { metadata: ref });
  const access = new ResourceAccess({ client: api, clock, logger: silentLogger });
  const told: string[] = [];
  access.onChange(({ resource }) => told.push(resource));
  /** In the authorizer's words; returns how to grant it. */
  const forbid = (verb: ApiRequest['verb'], resource: Resource) => {
    const message = `${resource.resource} is forbidden: User "sharder" cannot ${verb} resource "${resource.resource}"`;
    let forbidden = true;
    api.fault({
      on: (request) => forbidden && request.verb === verb && request.resource === resource.resource,
      error: new ApiError(403, 'Forbidden', message),
      times: Number.MAX_SAFE_INTEGER,
    });
    return (): void => {
      forbidden = false;
    };
  };
  const verbs = (): string[] => api.requests.map(({ verb }) => verb);
  return { clock, api, access, told, forbid, verbs };
}

test('a right that is missing is told once, and once more when it is there', async () => {
  const { access, told, forbid } = start();
  const grant = forbid('patch', secrets);
  for (let i = 0; i < 2; i += 1) await assert.rejects(access.client.patchMetadata(secrets, ref, noChange));
  assert.deepEqual(access.missing([secrets, configMaps]), [
    { group: '', resource: 'secrets', verb: 'patch' },
  ]);
  assert.deepEqual(access.missing([configMaps]), []);
  assert.deepEqual(told, ['secrets']);
  grant();
  await access.client.patchMetadata(secrets, ref, noChange);
  assert.deepEqual(access.missing([secrets]), []);
  assert.deepEqual(told, ['secrets', 'secrets']);
});

test('what an admission policy refuses is no missing right', async () => {
  const { api, access, told } = start();
  const message = 'admission webhook "policy" denied the request: no';
  api.fault({ on: ({ verb }) => verb === 'patch', error: new ApiError(403, 'Forbidden', message) });
  await assert.rejects(access.client.patchMetadata(secrets, ref, noChange));
  assert.deepEqual(access.missing([secrets]), []);
  assert.deepEqual(told, []);
});

test('without the right to get, an object is read by a list, and get is tried again a minute later', async () => {
  const { clock, access, forbid, verbs } = start();
  const grant = forbid('get', secrets);
  const read = async (): Promise<string> => (await access.client.getMetadata(secrets, ref)).metadata.name;
  assert.equal(await read(), 's');
  assert.deepEqual(verbs(), ['get', 'list']);
  assert.equal(await read(), 's');
  assert.deepEqual(verbs(), ['get', 'list', 'list']);
  grant();
  await clock.advance(60_000);
  assert.equal(await read(), 's');
  assert.deepEqual(verbs(), ['get', 'list', 'list', 'get']);
  assert.deepEqual(access.missing([secrets]), []);
});

test('an object that is not there is not found, by a list either', async () => {
  const { access, forbid } = start();
  forbid('get', secrets);
  const gone = access.client.getMetadata(secrets, { ...ref, name: 'other' });
  await assert.rejects(gone, (error: unknown) => error instanceof ApiError && error.status === 404);
});

test('without either it is the right to list that is needed', async () => {
  const { access, forbid } = start();
  forbid('get', secrets);
  forbid('list', secrets);
  await assert.rejects(access.client.getMetadata(secrets, ref), /cannot list/);
  assert.deepEqual(
    access.missing([secrets]).map(({ verb }) => verb),
    ['get', 'list'],
  );
});

test('whether a resource can be listed is asked only if that was refused', async () => {
  const { access, forbid, verbs } = start();
  assert.equal(await access.canList(secrets), true);
  assert.deepEqual(verbs(), []);
  const grant = forbid('list', secrets);
  await assert.rejects(access.client.listPage(secrets, 'metadata', {}));
  assert.equal(await access.canList(secrets), false);
  grant();
  assert.equal(await access.canList(secrets), true);
  assert.deepEqual(access.missing([secrets]), []);
});

test('a right in one namespace says nothing about all of them', async () => {
  const { access, forbid } = start();
  const grant = forbid('list', secrets);
  await assert.rejects(access.client.listPage(secrets, 'metadata', {}));
  grant();
  await access.client.listPage(secrets, 'metadata', { namespace: 'default' });
  assert.equal(access.missing([secrets]).length, 1);
  await access.client.listPage(secrets, 'metadata', {});
  assert.equal(access.missing([secrets]).length, 0);
});

test('what is not asked for any more is not said to be missing', async () => {
  const { clock, access, forbid } = start();
  forbid('patch', secrets);
  await assert.rejects(access.client.patchMetadata(secrets, ref, noChange));
  await clock.advance(3_600_001);
  assert.deepEqual(access.missing([secrets]), []);
});

test('a resource that is not served any more is told of, each time', async () => {
  const { api, access, told } = start();
  api.fault({
    on: ({ verb }) => verb === 'list',
    error: new ApiError(404, 'NotFound', 'the server could not find the requested resource'),
    times: 2,
  });
  for (let i = 0; i < 2; i += 1) await assert.rejects(access.client.listPage(secrets, 'metadata', {}));
  assert.deepEqual(told, ['secrets', 'secrets']);
  assert.deepEqual(access.missing([secrets]), []);
});
