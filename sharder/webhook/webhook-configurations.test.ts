import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mutatingWebhookConfigurations, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { ringLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import type { MutatingWebhookConfiguration, WebhookSettings } from './webhook-configuration.ts';
import { WebhookConfigurations } from './webhook-configurations.ts';

const ref = { name: 'controllerring-ring' };
const known = {
  ring: { metadata: { name: 'ring', uid: 'u' }, spec: { resources: [{ group: '', resource: 'secrets' }] } },
  scope: {
    ring: 'ring',
    mains: [{ resource: secrets, controlled: [] }],
    former: [],
    missing: [],
    selects: () => true,
  },
};

async function world() {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const settings: WebhookSettings = {
    endpoint: { url: 'https://127.0.0.1:9443' },
    annotations: {},
    sharderUsername: 'sharder',
    caBundle: Buffer.from('one\ntwo').toString('base64'),
  };
  const shown: { settings: WebhookSettings | undefined } = { settings };
  const configurations = new WebhookConfigurations({
    client: api,
    clock,
    logger: silentLogger,
    settings: () => shown.settings,
  });
  const told: string[] = [];
  configurations.onChange((ring) => told.push(ring));
  const { signal } = new AbortController();
  void configurations.run(signal);
  await clock.advance(0);
  const ensure = async (): Promise<string[]> => {
    const before = api.requests.length;
    const done = configurations.ensure(known, signal);
    await clock.advance(0);
    await done;
    const asked = api.requests.slice(before).map(({ verb }) => verb);
    return asked.filter((verb) => verb !== 'list' && verb !== 'watch');
  };
  const peek = () => api.peek<MutatingWebhookConfiguration>(mutatingWebhookConfigurations, ref);
  return { clock, api, configurations, shown, told, ensure, peek, signal };
}

test('a configuration is made once; nothing is asked or written while it is as it should be', async () => {
  const { ensure, told } = await world();
  assert.deepEqual(await ensure(), ['get', 'create']);
  assert.deepEqual(await ensure(), []);
  assert.deepEqual(told, ['ring']);
});

test('nothing is written while there is nothing to serve with', async () => {
  const { ensure, shown, peek } = await world();
  shown.settings = undefined;
  assert.deepEqual(await ensure(), []);
  assert.equal(peek(), undefined);
});

test('one that lost its label is read and gets it back', async () => {
  const { ensure, api, clock, peek, signal } = await world();
  await ensure();
  const patch = { type: 'merge', body: { metadata: { labels: null } } } as const;
  const patched = api.patch<KubeObject>(mutatingWebhookConfigurations, ref, patch, { signal });
  await clock.advance(0);
  await patched;
  assert.deepEqual(await ensure(), ['get', 'update']);
  assert.equal(peek()?.metadata.labels?.[ringLabel], 'ring');
});

test('an old view is no reason to fail: what is there is read', async () => {
  const { ensure, api, clock, configurations, peek, signal, shown } = await world();
  await ensure();
  // Written by somebody else, and the watch hasn't told yet.
  const patch = { type: 'merge', body: { webhooks: [] } } as const;
  void api.patch<KubeObject>(mutatingWebhookConfigurations, ref, patch, { signal });
  if (shown.settings) shown.settings = { ...shown.settings, annotations: { a: 'b' } };
  const done = configurations.ensure(known, signal);
  await clock.advance(0);
  await done;
  assert.equal(peek()?.webhooks?.length, 1);
  assert.equal(peek()?.metadata.annotations?.['a'], 'b');
});

test('an authority is trusted once every ring’s configuration names it', async () => {
  const { ensure, api, clock, configurations } = await world();
  assert.ok(configurations.trusted('three'));
  await ensure();
  assert.ok(configurations.trusted('two\n'));
  assert.ok(!configurations.trusted('three'));
  const foreign = { name: 'x', labels: { [ringLabel]: 'ring' } };
  api.seed<KubeObject>(mutatingWebhookConfigurations, { metadata: foreign });
  const other = { name: 'controllerring-other', labels: { [ringLabel]: 'other' } };
  const webhooks = [{ clientConfig: { caBundle: Buffer.from('one').toString('base64') } }];
  api.seed<KubeObject & { webhooks: object[] }>(mutatingWebhookConfigurations, { metadata: other, webhooks });
  await clock.advance(0);
  assert.ok(configurations.trusted('one'));
  assert.ok(!configurations.trusted('two'));
});

test('a ring’s configuration is removed with it', async () => {
  const { ensure, clock, configurations, peek, signal } = await world();
  await ensure();
  const done = configurations.remove('ring', signal);
  await clock.advance(0);
  await done;
  assert.equal(peek(), undefined);
});
