import assert from 'node:assert/strict';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { certificateSecret } from '@controller-sharding/sharder/webhook/certificates.ts';
import type { MutatingWebhookConfiguration } from '@controller-sharding/sharder/webhook/webhook-configuration.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import {
  configMaps,
  controllerRings,
  mutatingWebhookConfigurations,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { ringLabel, sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { CertificateAuthority, type KeyAndCertificate } from '../harness/certificates.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import { createRing, createShard, startSharder } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';

const ring = 'webhook-ring';
const label = shardLabel(ring);
const configurationRef = { name: `controllerring-${ring}` };

interface World {
  controlPlane: ControlPlane;
  client: ApiClient;
  port: number;
  /** Creates a main object; its label, as the answer to the creation has it. */
  create(): Promise<string | undefined>;
  configuration(): Promise<MutatingWebhookConfiguration | undefined>;
}

/** A control plane with a ring of ConfigMaps and two shards that need no process. */
async function start(t: TestContext): Promise<World> {
  const controlPlane = await startControlPlane();
  const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }));
  t.after(async () => {
    await transport.close();
    await controlPlane.stop();
  });
  const client = new KubeClient(transport);
  await client.create(namespaces, namespaceNamed(sharderNamespace));
  await createRing(client, {
    metadata: { name: ring },
    spec: { resources: [{ group: '', resource: 'configmaps' }] },
  });
  for (const shard of ['a', 'b']) await createShard(client, ring, shard);
  let created = 0;
  return {
    controlPlane,
    client,
    port: await freePort(),
    async create() {
      created += 1;
      const object: KubeObject = { metadata: { namespace: 'default', name: `object-${created}` } };
      const { metadata } = await client.create(configMaps, object);
      return metadata.labels?.[label];
    },
    async configuration() {
      try {
        return await client.get<MutatingWebhookConfiguration>(
          mutatingWebhookConfigurations,
          configurationRef,
        );
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
  };
}

const answered = ({ create }: World): Promise<string> => waitFor('the webhook to answer', create);

/** Creates objects, four at a time, until `until` has ended; returns their labels. No creation may fail. */
async function createdUntil({ create }: World, until: Promise<unknown>): Promise<(string | undefined)[]> {
  const labels: (string | undefined)[] = [];
  const over = new AbortController();
  const work = async (): Promise<void> => {
    while (!over.signal.aborted) labels.push(await create());
  };
  const working = Promise.all([work(), work(), work(), work()]);
  try {
    await Promise.race([until, working]);
  } finally {
    over.abort();
  }
  await working;
  return labels;
}

function assertLabelled(labels: (string | undefined)[]): void {
  assert.ok(labels.length > 0);
  for (const found of labels) assert.match(found ?? 'no label', /^[ab]$/);
}

const urlOf = (port: number): string => `https://127.0.0.1:${port}`;

/** The certificate that the webhook serves new connections with. */
const servedCertificate = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });

test('what the sharder makes for its webhook', { timeout: 240_000 }, async (t) => {
  const world = await start(t);
  const { controlPlane, client, port, configuration } = world;
  const webhook = {
    server: { bindAddress: `127.0.0.1:${port}` },
    config: { clientConfig: { url: urlOf(port) }, annotations: { 'example.org/team': 'platform' } },
  };
  const sharder = await startSharder({
    kubeconfigPath: controlPlane.kubeconfigPath,
    logFolder: controlPlane.logFolder,
    webhook,
  });
  t.after(() => sharder.stop('SIGKILL'));
  await answered(world);
  const wanted = await configuration();
  assert.ok(wanted);
  assert.equal(wanted.metadata.annotations?.['example.org/team'], 'platform');

  const restored = async (): Promise<boolean> => {
    const found = await configuration();
    return (
      JSON.stringify(found?.webhooks) === JSON.stringify(wanted.webhooks) &&
      found?.metadata.labels?.[ringLabel] === ring
    );
  };
  const merge = (body: object) =>
    client.patch(mutatingWebhookConfigurations, configurationRef, { type: 'merge', body });
  const disturbances: [what: string, disturb: () => Promise<unknown>][] = [
    ['deleted', () => client.delete(mutatingWebhookConfigurations, configurationRef)],
    ['emptied', () => merge({ webhooks: [] })],
    ['without its label', () => merge({ metadata: { labels: null } })],
    [
      'without its label, and then edited',
      async () => {
        await merge({ metadata: { labels: null }, webhooks: null });
      },
    ],
  ];
  for (const [what, disturb] of disturbances) {
    await t.test(`a configuration that was ${what} is restored within a second`, async () => {
      await disturb();
      const since = performance.now();
      await waitFor('the configuration', restored, { timeoutMs: 1_000, everyMs: 5 });
      t.diagnostic(`${what}: restored after ${Math.round(performance.now() - since)} ms`);
    });
  }

  await t.test('annotations of others stay, and nothing is written for them', async () => {
    await merge({ metadata: { annotations: { note: 'x' } } });
    const before = await configuration();
    await merge({ metadata: { labels: { team: 'y' } } });
    await client.create(namespaces, namespaceNamed('something-happens'));
    await answered(world);
    const after = await configuration();
    assert.equal(after?.metadata.annotations?.['note'], 'x');
    assert.equal(after.metadata.labels?.['team'], 'y');
    assert.equal(after.metadata.generation, before?.metadata.generation);
  });

  await t.test(
    'its certificate and authority change under load without one creation unlabelled',
    async () => {
      await answered(world);
      const before = await servedCertificate(port);
      const rotation = async (): Promise<void> => {
        await client.delete(secrets, { namespace: sharderNamespace, name: certificateSecret });
        await waitFor('another certificate', async () => (await servedCertificate(port)) !== before, {
          timeoutMs: 120_000,
          everyMs: 500,
        });
      };
      const labels = await createdUntil(world, rotation());
      assertLabelled(labels);
      // Connections of before go on: so many creations at once need new ones.
      assertLabelled(await Promise.all(Array.from({ length: 60 }, world.create)));
      t.diagnostic(`${labels.length} objects created meanwhile`);
    },
  );

  await t.test('a ring deleted under a load of creations: not one is rejected', async () => {
    const deletion = async (): Promise<void> => {
      await client.delete(controllerRings, { name: ring });
      await waitFor('its webhook to go', async () => (await configuration()) === undefined);
      await waitFor('creations without label', async () => (await world.create()) === undefined);
    };
    const labels = await createdUntil(world, deletion());
    t.diagnostic(`${labels.length} objects created meanwhile`);
  });
});

/** As a kubelet shows a Secret: the files are links into a folder that is replaced as a whole. */
async function mount(folder: string, version: number, pair: KeyAndCertificate): Promise<void> {
  const data = join(folder, `..data-${version}`);
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'tls.crt'), pair.certificate);
  await writeFile(join(data, 'tls.key'), pair.key);
  await symlink(`..data-${version}`, join(folder, `..data-new-${version}`));
  await rename(join(folder, `..data-new-${version}`), join(folder, '..data'));
  if (version > 1) return;
  for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(folder, name));
}

test('with certificates from files', { timeout: 180_000 }, async (t) => {
  const world = await start(t);
  const { controlPlane, client, port, configuration } = world;
  const folder = join(controlPlane.logFolder, 'certificates');
  const authority = await CertificateAuthority.create('somebody else');
  const issue = () => authority.serving('webhook', ['127.0.0.1'], []);
  await mount(folder, 1, await issue());
  const webhook = {
    server: { bindAddress: `127.0.0.1:${port}`, certDir: folder },
    config: {
      clientConfig: { url: urlOf(port) },
      annotations: { 'cert-manager.io/inject-ca-from': 'sharding-system/webhook' },
    },
  };
  const sharder = await startSharder({
    kubeconfigPath: controlPlane.kubeconfigPath,
    logFolder: controlPlane.logFolder,
    webhook,
  });
  t.after(() => sharder.stop('SIGKILL'));

  await t.test('the authority that somebody else enters stays', async () => {
    const caBundle = Buffer.from(authority.certificate).toString('base64');
    const found = await waitFor('the configuration', configuration);
    assert.equal(found.webhooks?.[0]?.clientConfig.caBundle, undefined);
    const webhooks = (found.webhooks ?? []).map((entry) => ({
      ...entry,
      clientConfig: { ...entry.clientConfig, caBundle },
    }));
    const body = { webhooks };
    await client.patch(mutatingWebhookConfigurations, configurationRef, { type: 'merge', body });
    await answered(world);
    assert.equal((await configuration())?.webhooks?.[0]?.clientConfig.caBundle, caBundle);
    await assert.rejects(
      client.get(secrets, { namespace: sharderNamespace, name: certificateSecret }),
      isNotFound,
    );
  });

  await t.test('files that change are taken, under load', async () => {
    const before = await servedCertificate(port);
    await mount(folder, 2, await issue());
    const taken = waitFor('the new certificate', async () => (await servedCertificate(port)) !== before, {
      timeoutMs: 20_000,
      everyMs: 200,
    });
    assertLabelled(await createdUntil(world, taken));
  });

  await t.test('a sharder that is stopped answers what is under way', async () => {
    const stopped = sharder.stop('SIGTERM');
    const labels = await createdUntil(world, stopped);
    assert.equal((await stopped).code, 0);
    const without = labels.filter((found) => found === undefined).length;
    t.diagnostic(`${without} of ${labels.length} objects without label`);
  });

  await t.test(
    'switched off, its configurations go, those of others stay, and the watch labels what has no label',
    async () => {
      const other = { metadata: { name: 'of-somebody-else', labels: { [ringLabel]: ring } } };
      await client.create(mutatingWebhookConfigurations, other);
      const off = await startSharder({
        kubeconfigPath: controlPlane.kubeconfigPath,
        logFolder: controlPlane.logFolder,
        webhook: { enabled: false },
      });
      try {
        await waitFor('the configuration to go', async () => (await configuration()) === undefined);
        await client.get(mutatingWebhookConfigurations, other.metadata);
        await waitFor('the labels of what was created meanwhile', async () => {
          const unlabelled = { namespace: 'default', labelSelector: `!${label}` };
          return (await client.listPage(configMaps, 'metadata', unlabelled)).items.length === 0;
        });
      } finally {
        await off.stop();
      }
    },
  );
});
