import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ApiClient,
  type Clock,
  configMaps,
  isNotFound,
  type KubeObject,
  Manager,
  parseObjectKey,
  silentLogger,
} from '@controller-sharding/shared';
import { connectionError, FakeClock, MemoryApi } from '@controller-sharding/shared/testing';

type Greeting = KubeObject & { spec: { name: string }; status?: { text: string } };

const greetings = {
  group: 'example.com',
  version: 'v1',
  resource: 'greetings',
  kind: 'Greeting',
  namespaced: true,
};

/** The operator: writes a ConfigMap for each Greeting, and what it says into the status. */
function greetingOperator(client: ApiClient, clock: Clock): Manager {
  const manager = new Manager({ client, clock, logger: silentLogger });
  const { informer } = manager.informers.acquire<Greeting>({ resource: greetings, form: 'full' });
  const controller = manager.addController({
    name: 'greetings',
    async reconcile(key: string) {
      const greeting = informer.store.get(key);
      if (!greeting) return;
      const { name, namespace = '', uid = '' } = greeting.metadata;
      const text = `Hello, ${greeting.spec.name}!`;
      const owner = { apiVersion: 'example.com/v1', kind: 'Greeting', name, uid, controller: true };
      await client.patch(configMaps, parseObjectKey(key), {
        type: 'apply',
        fieldManager: 'greetings',
        body: Object.assign({ metadata: { name, namespace, ownerReferences: [owner] } }, { data: { text } }),
      });
      await client.patchStatus(greetings, greeting.metadata, { type: 'merge', body: { status: { text } } });
    },
  });
  const enqueue = ({ metadata }: Greeting) => controller.enqueue(`${metadata.namespace}/${metadata.name}`);
  informer.addHandler({ added: enqueue, updated: (_, now) => enqueue(now) });
  return manager;
}

test('a greeting is said, once the API server is back, and goes with its Greeting', async () => {
  const clock = new FakeClock();
  const api = new MemoryApi(clock, {
    resources: [{ ...greetings, statusSubresource: true }],
    garbageCollectionMs: 500,
  });
  const stop = new AbortController();
  const running = greetingOperator(api.client({ user: 'operator' }), clock).start(stop.signal);
  await clock.advance(1_000);

  // Its first write is lost.
  api.fault({ on: ({ user, verb }) => user === 'operator' && verb === 'patch', error: connectionError() });
  const metadata = { namespace: 'default', name: 'first' };
  await api.create<Greeting>(greetings, { metadata, spec: { name: 'world' } });
  await clock.advance(1_000);
  const said = await api.get<KubeObject & { data: { text: string } }>(configMaps, metadata);
  assert.equal(said.data.text, 'Hello, world!');
  assert.equal(api.peek<Greeting>(greetings, metadata)?.status?.text, 'Hello, world!');

  // Nothing changes any more: nothing is written any more.
  const writes = api.writes().length;
  await clock.advance(600_000);
  assert.equal(api.writes().length, writes);

  await api.delete(greetings, metadata);
  await clock.advance(1_000);
  await assert.rejects(api.get(configMaps, metadata), isNotFound);

  stop.abort();
  await clock.advance(1_000);
  await running;
});
