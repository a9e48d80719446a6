import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { removeConfigurations } from './switched-off.ts';

function world(...configurations: KubeObject['metadata'][]) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  for (const metadata of configurations) api.seed(mutatingWebhookConfigurations, { metadata });
  const left = (): string[] =>
    configurations
      .map(({ name }) => name)
      .filter((name) => api.peek(mutatingWebhookConfigurations, { name }));
  return { clock, api, left };
}
const { signal } = new AbortController();
const ours = { name: 'controllerring-a', labels: { [ringLabel]: 'a' } };

test('the configurations of rings are removed, by label and name', async () => {
  const { clock, api, left } = world(
    ours,
    { name: 'controllerring-b' },
    { name: 'controllerring-c', labels: { [ringLabel]: 'other' } },
    { name: 'd', labels: { [ringLabel]: 'd' } },
  );
  const ended = removeConfigurations({ client: api, clock, logger: silentLogger }, signal);
  await clock.advance(0);
  await ended;
  assert.deepEqual(left(), ['controllerring-b', 'controllerring-c', 'd']);
});

test('a failure is tried again; what is forbidden is not', async () => {
  const { clock, api, left } = world(ours);
  const asked = (): number => api.requests.filter(({ verb }) => verb === 'list').length;
  const isList = ({ verb }: { verb: string }): boolean => verb === 'list';
  const remove = () => removeConfigurations({ client: api, clock, logger: silentLogger }, signal);

  api.fault({ on: isList, error: new ApiError(500, 'InternalError', 'no') });
  const first = remove();
  await clock.advance(9_999);
  assert.equal(asked(), 1);
  await clock.advance(1);
  await first;
  assert.deepEqual(left(), []);

  api.fault({ on: isList, error: new ApiError(403, 'Forbidden', 'no') });
  await remove();
  assert.equal(asked(), 3);
});
