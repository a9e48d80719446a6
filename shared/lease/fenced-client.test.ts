import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiClient, RequestOptions } from '../kube/api-client.ts';
import { configMaps } from '../kube/resources.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { fencedClient } from './fenced-client.ts';
import { FencedError } from './write-fence.ts';

const ref = { namespace: 'default', name: 'a' };
const object = { metadata: ref };
const patch = { type: 'merge' as const, body: { metadata: { labels: { a: 'b' } } } };

const writes: Record<string, (client: ApiClient, options?: RequestOptions) => Promise<unknown>> = {
  create: (client, options) => client.create(configMaps, object, options),
  update: (client, options) => client.update(configMaps, object, options),
  updateStatus: (client, options) => client.updateStatus(configMaps, object, options),
  patch: (client, options) => client.patch(configMaps, ref, patch, options),
  patchMetadata: (client, options) => client.patchMetadata(configMaps, ref, patch, options),
  patchStatus: (client, options) => client.patchStatus(configMaps, ref, patch, options),
  delete: (client, options) => client.delete(configMaps, ref, options),
};

for (const [name, write] of Object.entries(writes)) {
  test(`${name} is not sent when it is not permitted, else it ends in the time permitted`, async () => {
    const api = new MemoryApi(new FakeClock());
    let permit = (): number => {
      throw new FencedError('not now');
    };
    const client = fencedClient(api, () => permit());
    await assert.rejects(write(client), FencedError);
    assert.equal(api.requests.length, 0);
    permit = () => 1_234;
    await write(client).catch(() => undefined);
    await write(client, { timeoutMs: 500 }).catch(() => undefined);
    await write(client, { timeoutMs: 5_000 }).catch(() => undefined);
    assert.deepEqual(
      api.requests.map(({ timeoutMs }) => timeoutMs),
      [1_234, 500, 1_234],
    );
  });
}

test('reads need no permission', async () => {
  const api = new MemoryApi(new FakeClock());
  api.seed(configMaps, object);
  const client = fencedClient(api, () => assert.fail('asked for a read'));
  assert.equal((await client.get(configMaps, ref)).metadata.name, 'a');
  assert.equal((await client.getMetadata(configMaps, ref)).metadata.name, 'a');
  assert.equal((await client.listPage(configMaps, 'full', {})).items.length, 1);
  for await (const page of client.list(configMaps, 'full')) assert.equal(page.items.length, 1);
  for await (const event of client.watch(configMaps, 'full', {
    signal: new AbortController().signal,
    sendInitialEvents: true,
    timeoutSeconds: 10,
  })) {
    assert.equal(event.type, 'ADDED');
    break;
  }
});
