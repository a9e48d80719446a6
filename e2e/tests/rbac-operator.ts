import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  childResources,
  projectLabel,
  operatorName as ring,
  skipWorkloadLabel,
  themes,
  type Website,
  websites,
} from '@controller-sharding/operator/webhosting/resources.ts';
import {
  deployments,
  leases,
  mutatingWebhookConfigurations,
  namespaces,
  pods,
  replicaSets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Labels } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { deletionCostAnnotation } from '@controller-sharding/shared/sharding/slot-deletion-cost.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { silentServer } from '../harness/silent-server.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { RightsPlane } from './rbac-plane.ts';
import { type AnyObject, orNone, repeatedEvent, type Scene, written } from './rbac-scene.ts';

const program = fileURLToPath(new URL('../../operator/webhosting/main.ts', import.meta.url));
const namespace = 'webhosting-system';
const account = { namespace, name: ring };
const project = 'rbac';
const theme = 'plain';
const hanging = 'hanging.example.com';
/** Longer than a shard waits for an answer. */
const lostMs = 15_000;

interface Workload extends KubeObject {
  spec: { template: { metadata: { labels: Labels }; spec: object } };
}

/** A shard of the webhosting operator, without a sharder: what that would write is written here. */
export async function operatorScene(t: TestContext, plane: RightsPlane): Promise<Scene> {
  const { client, controlPlane } = plane;
  const kubeconfig = await plane.kubeconfig(account);
  await client.create(namespaces, { metadata: { name: project, labels: { [projectLabel]: 'true' } } });
  await client.create(themes, { metadata: { name: theme }, spec: { color: 'teal', fontFamily: 'serif' } });
  const hangingPort = await silentServer(t);
  let run = 0;
  let pod = '';
  let drainedAt = 0;
  const running: RunningProcess[] = [];

  const shard = (): string => `shard-${run}`;
  const named = (what: string) => ({ namespace: project, name: `${what}-${run}` });
  const website = (name: string, ofTheme: string): Promise<KubeObject> =>
    client.create(websites, {
      metadata: { ...named(name), labels: { [shardLabel(ring)]: shard(), [skipWorkloadLabel]: 'true' } },
      spec: { theme: ofTheme },
    });
  const childrenOf = async ({ metadata }: KubeObject): Promise<number> => {
    const lists = childResources.map((resource) =>
      client.listPage<KubeObject>(resource, 'metadata', { namespace: project }),
    );
    const objects = (await Promise.all(lists)).flatMap(({ items }) => items);
    return objects.filter(({ metadata: { ownerReferences } }) => ownerReferences?.[0]?.uid === metadata.uid)
      .length;
  };
  const isServed = async (name: string): Promise<boolean> => {
    const site = await client.get<Website>(websites, named(name));
    return site.status?.phase === 'Ready' && (await childrenOf(site)) === childResources.length;
  };
  const drain = (name: string): Promise<unknown> => {
    const body = { metadata: { labels: { [drainLabel(ring)]: 'other' } } };
    return client.patchMetadata(websites, named(name), { type: 'merge', body });
  };
  const isHandedOver = async (name: string): Promise<boolean> => {
    const { metadata } = await client.getMetadata(websites, named(name));
    return metadata.labels?.[shardLabel(ring)] === 'other' && metadata.labels[drainLabel(ring)] === undefined;
  };
  const start = async (name: string, flags: string[], env: Record<string, string> = {}): Promise<void> => {
    const args = [
      program,
      `--kubeconfig=${kubeconfig}`,
      `--lease-namespace=${namespace}`,
      '--health-address=0',
      '--metrics-address=0',
      ...flags,
    ];
    const logFile = join(controlPlane.logFolder, `${name}.log`);
    running.push(await startProcess({ name, args, env: { NODE_ENV: 'production', ...env }, logFile }));
  };

  return {
    account,
    first: 'a Website is served',
    async begin() {
      await orNone(client.delete(mutatingWebhookConfigurations, { name: hanging }));
      run += 1;
      await website('site', theme);
      await start(shard(), [`--shard-name=${shard()}`]);
    },
    async end() {
      await Promise.all(running.splice(0).map((each) => each.stop('SIGKILL')));
    },
    scenarios: {
      'a Website is served': {
        act: () => Promise.resolve(),
        async isDone() {
          const lease = await orNone(client.get<Lease>(leases, { namespace, name: shard() }));
          const isRenewed = lease !== undefined && lease.spec?.renewTime !== lease.spec?.acquireTime;
          return isRenewed && (await isServed('site'));
        },
      },
      'a Theme isn’t there': {
        act: () => website('bare', 'none'),
        async isDone() {
          const { status, metadata } = await client.get<Website>(websites, named('bare'));
          const events = await written(plane, 'ThemeNotFound');
          return status?.phase === 'Error' && events.some(({ regarding }) => regarding?.uid === metadata.uid);
        },
      },
      'an Event repeats after five minutes': repeatedEvent(t, plane, account),
      'a Website is handed over': {
        act: () => drain('site'),
        isDone: () => isHandedOver('site'),
      },
      'the answer to a hand-over is lost': {
        async act() {
          await website('lost', theme);
          await waitFor('the Website', () => isServed('lost'));
          await client.create<AnyObject>(mutatingWebhookConfigurations, {
            apiVersion: 'admissionregistration.k8s.io/v1',
            kind: 'MutatingWebhookConfiguration',
            metadata: { name: hanging },
            webhooks: [hangingWebhook(hangingPort)],
          });
          await drain('lost');
          drainedAt = performance.now();
        },
        async isDone() {
          if (performance.now() - drainedAt > lostMs) {
            await orNone(client.delete(mutatingWebhookConfigurations, { name: hanging }));
          }
          return isHandedOver('lost');
        },
      },
      'a shard takes a slot': {
        async act() {
          const workload = await client.get<Workload>(deployments, { namespace, name: ring });
          const { template } = workload.spec;
          const owned = (kind: string, { metadata }: KubeObject) => ({
            namespace,
            name: `slots-${run}`,
            labels: template.metadata.labels,
            ownerReferences: [
              { apiVersion: 'apps/v1', kind, name: metadata.name, uid: metadata.uid ?? '', controller: true },
            ],
          });
          const set = await client.create<AnyObject>(replicaSets, {
            metadata: owned('Deployment', workload),
            spec: { selector: { matchLabels: template.metadata.labels }, template },
          });
          const metadata = owned('ReplicaSet', set);
          const spec = { ...template.spec, topologySpreadConstraints: undefined };
          await client.create<AnyObject>(pods, { metadata, spec });
          pod = metadata.name;
          await start(pod, ['--shard-slots'], { POD_NAME: pod, POD_NAMESPACE: namespace });
        },
        async isDone() {
          const { metadata } = await client.getMetadata(pods, { namespace, name: pod });
          return metadata.annotations?.[deletionCostAnnotation] !== undefined;
        },
      },
    },
  };
}

/** Lets each change of a Website wait longer than a shard waits for its answer. */
const hangingWebhook = (port: number): object => ({
  name: hanging,
  clientConfig: { url: `https://127.0.0.1:${port}` },
  rules: [
    {
      apiGroups: [websites.group],
      apiVersions: ['*'],
      resources: ['websites'],
      operations: ['UPDATE'],
    },
  ],
  matchConditions: [{ name: 'by-a-shard', expression: `request.userInfo.username.endsWith(':${ring}')` }],
  failurePolicy: 'Ignore',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  timeoutSeconds: 30,
});
