import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import {
  childResources,
  configMaps,
  deployments,
  ingresses,
  projectLabel,
  services,
  websites,
} from '@controller-sharding/operator/webhosting/resources.ts';
import {
  controllerRings,
  leases,
  mutatingWebhookConfigurations,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import {
  ringLabel,
  sharderNamespace,
  shardLabel,
  stateLabel,
  weightAnnotation,
} from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { parse } from 'yaml';
import { freePort } from '../harness/ports.ts';
import type { RunningProcess } from '../harness/processes.ts';
import { createShard, startSharder } from '../harness/sharder.ts';
import { manifests, type RightsPlane } from './rbac-plane.ts';
import { type AnyObject, orNone, repeatedEvent, type Scene, written } from './rbac-scene.ts';

const ring = 'webhosting-operator';
const label = shardLabel(ring);
const account = { namespace: sharderNamespace, name: 'sharder' };
const ownLease = { namespace: sharderNamespace, name: 'sharder' };
const certificate = { namespace: sharderNamespace, name: 'sharder-webhook-certificate' };
const project = 'rbac';

const specs = new Map<Resource, object>([
  [configMaps, {}],
  [services, { spec: { ports: [{ port: 80 }] } }],
  [
    deployments,
    {
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
      },
    },
  ],
  [ingresses, { spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } }],
]);

/** The sharder with the ring of the webhosting operator, whose shards are Leases and nothing else. */
export async function sharderScene(t: TestContext, plane: RightsPlane): Promise<Scene> {
  const { client, controlPlane } = plane;
  const kubeconfigPath = await plane.kubeconfig(account);
  const ringObject: ControllerRing = parse(
    await readFile(manifests('operators/webhosting/ring.yaml'), 'utf8'),
  );
  await client.create(namespaces, { metadata: { name: project, labels: { [projectLabel]: 'true' } } });
  await plane.bind('sharder-webhosting-operator', account);
  let run = 0;
  let running: RunningProcess | undefined;

  const named = (what: string): { namespace: string; name: string } => ({
    namespace: project,
    name: `${what}-${run}`,
  });
  const shard = (): string => `shard-${run}`;
  const leaseOf = (name: string) => ({ namespace: 'default', name });
  const controlled = (resource: Resource, owner: KubeObject, name: string): Promise<KubeObject> => {
    const { apiVersion = '', kind = '', metadata } = owner;
    const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
    const object = { metadata: { ...named(name), ownerReferences: [reference] }, ...specs.get(resource) };
    return client.create<KubeObject>(resource, object);
  };
  const start = async (webhookEnabled: boolean): Promise<void> => {
    const port = await freePort();
    running = await startSharder({
      kubeconfigPath,
      logFolder: controlPlane.logFolder,
      webhook: {
        enabled: webhookEnabled,
        server: { bindAddress: `127.0.0.1:${port}` },
        config: { clientConfig: { url: `https://127.0.0.1:${port}` } },
      },
      wait: false,
    });
  };
  const configurations = async (): Promise<AnyObject[]> =>
    (
      await client.listPage<AnyObject>(mutatingWebhookConfigurations, 'full', {
        labelSelector: ringLabel,
      })
    ).items;
  const labelled = ({ metadata }: KubeObject): boolean => metadata.labels?.[label] === shard();

  let owners: KubeObject[] = [];
  let attempts = 0;
  return {
    account,
    first: 'objects get a shard',
    async begin() {
      for (const ref of [ownLease, leaseOf(shard()), leaseOf(`gone-${run}`)])
        await orNone(client.delete(leases, ref));
      await orNone(client.delete(secrets, certificate));
      for (const { metadata } of await configurations()) {
        await client.delete(mutatingWebhookConfigurations, metadata);
      }
      await orNone(client.delete(controllerRings, { name: ring }));
      run += 1;
      await client.create<KubeObject>(controllerRings, ringObject);
      await createShard(client, ring, shard());
      const website = await client.create<AnyObject>(websites, {
        metadata: named('site'),
        spec: { theme: 'none' },
      });
      const children = childResources.map((resource) => controlled(resource, website, 'site'));
      owners = [website, ...(await Promise.all(children))];
      await start(true);
    },
    async end() {
      await running?.stop('SIGKILL');
    },
    scenarios: {
      'objects get a shard': {
        act: () => Promise.resolve(),
        async isDone() {
          const objects = await Promise.all(
            [websites, ...childResources].map((resource) => client.getMetadata(resource, named('site'))),
          );
          const lease = await client.getMetadata(leases, leaseOf(shard()));
          const ringNow = await client.get<ControllerRing>(controllerRings, { name: ring });
          const isReady = ringNow.status?.conditions?.some(
            ({ type, status: is }) => type === 'Ready' && is === 'True',
          );
          const [configuration] = await configurations();
          const { spec } = await client.get<Lease>(leases, ownLease);
          return (
            spec?.renewTime !== spec?.acquireTime &&
            objects.every(labelled) &&
            lease.metadata.labels?.[stateLabel] === 'ready' &&
            isReady === true &&
            configuration !== undefined &&
            ringNow.metadata.annotations !== undefined
          );
        },
      },
      'a shard is gone for a minute': {
        act: () => {
          const metadata = { ...leaseOf(`gone-${run}`), labels: { [ringLabel]: ring } };
          const spec = { holderIdentity: '', leaseDurationSeconds: 15, renewTime: microTime(new Date()) };
          return client.create<AnyObject>(leases, { metadata, spec });
        },
        isDone: async () => (await orNone(client.getMetadata(leases, leaseOf(`gone-${run}`)))) === undefined,
      },
      'an annotation makes no sense': {
        act: () => {
          const body = { metadata: { annotations: { [weightAnnotation]: 'heavy' } } };
          return client.patchMetadata(leases, leaseOf(shard()), { type: 'merge', body });
        },
        isDone: async () =>
          (await written(plane, 'InvalidAnnotation')).some(({ regarding }) => regarding?.name === shard()),
      },
      'an Event repeats after five minutes': repeatedEvent(t, plane, account),
      'somebody edits a webhook’s configuration': {
        async act() {
          const [configuration] = await configurations();
          const ref = { name: configuration?.metadata.name ?? '' };
          await client.patch(mutatingWebhookConfigurations, ref, { type: 'merge', body: { webhooks: [] } });
        },
        isDone: async () => (await configurations()).every(({ webhooks }) => webhooks?.length === 1),
      },
      'controlled objects are created': {
        act: () => Promise.resolve(),
        // The API server knows of a webhook a moment later.
        async isDone() {
          attempts += 1;
          const made = await Promise.all(
            owners.map((owner, index) => controlled(configMaps, owner, `child-${index}-${attempts}`)),
          );
          return made.every(labelled);
        },
      },
      'the certificate’s Secret is damaged': {
        act: () => {
          const nonsense = Buffer.from('nonsense').toString('base64');
          const body = { data: { 'tls.crt': nonsense, 'tls.key': nonsense } };
          return client.patch(secrets, certificate, { type: 'merge', body });
        },
        async isDone() {
          const { data } = await client.get<KubeObject & { data: Record<string, string> }>(
            secrets,
            certificate,
          );
          return Buffer.from(data['tls.crt'] ?? '', 'base64')
            .toString()
            .includes('CERTIFICATE');
        },
      },
      'the webhook is switched off': {
        async act() {
          await running?.stop('SIGTERM');
          await start(false);
        },
        isDone: async () => (await configurations()).length === 0,
      },
    },
  };
}
