import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { type PolicyBinding, policyBindings } from '@controller-sharding/sharder/policies/bindings.ts';
import type { Patch } from '@controller-sharding/shared/kube/api-client.ts';
import type { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { isForbidden } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, leases, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { ObjectRef, PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import {
  identityAnnotation,
  ringLabel,
  sharderNamespace,
  shardLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { controllerRingApiVersion } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { stringify } from 'yaml';
import type { ControlPlane } from '../harness/control-plane.ts';
import { createRing } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';

export const label = shardLabel('bench');
export const namespace = 'bench';
const shardCount = 20;
/** The fence is evaluated once for each of their Leases. */
export const shards = Array.from({ length: shardCount }, (_, index) => `bench-${index}`);
const [podShard = '', otherShard = ''] = shards;

/** What is bound. */
export const stages = ['none', 'labels', 'fence'] as const;
export type Stage = (typeof stages)[number];

/** Who writes, each with a token of its service account; a shard's is bound to its pod. */
export const writers = ['sharder', 'shard', 'user'] as const;
export type Writer = (typeof writers)[number];

const accounts: Record<Writer, { namespace: string; name: string }> = {
  sharder: { namespace: sharderNamespace, name: 'sharder' },
  shard: { namespace, name: 'operator' },
  user: { namespace, name: 'user' },
};

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name: podShard },
  spec: { serviceAccountName: accounts.shard.name, containers: [{ name: 'operator', image: 'none' }] },
};

const policies = fileURLToPath(new URL('../../manifests/policies', import.meta.url));

const ring = {
  apiVersion: controllerRingApiVersion,
  metadata: { name: 'bench' },
  spec: { resources: [{ group: '', resource: 'configmaps' }] },
};

/** Binds and unbinds the policies of one ring, and knows when the API server acts so. */
export class PoliciesCluster {
  readonly #controlPlane: ControlPlane;
  readonly #client: KubeClient;
  readonly #clients: Record<Writer, KubeClient>;

  private constructor(controlPlane: ControlPlane, client: KubeClient, clients: Record<Writer, KubeClient>) {
    this.#controlPlane = controlPlane;
    this.#client = client;
    this.#clients = clients;
  }

  /** Makes ring, shards, service accounts and their rights. `clientFor` gives a client that uses a token. */
  static async prepare(
    controlPlane: ControlPlane,
    client: KubeClient,
    clientFor: (token: string) => KubeClient,
  ): Promise<{ cluster: PoliciesCluster; clients: Record<Writer, KubeClient> }> {
    for (const name of [namespace, sharderNamespace]) await client.create(namespaces, namespaceNamed(name));
    await createRing(client, ring);
    const apply = (objects: object[]): Promise<unknown> =>
      controlPlane.kubectl(['apply', '-f', '-'], {
        input: objects.map((each) => stringify(each)).join('---\n'),
      });
    await apply(rights());
    await controlPlane.kubectl(['apply', '-k', policies]);
    await apply([pod]);
    const uid = (
      await controlPlane.kubectl(['-n', namespace, 'get', 'pod', podShard, '-o', 'jsonpath={.metadata.uid}'])
    ).trim();
    for (const name of shards) {
      const metadata = {
        namespace,
        name,
        labels: { [ringLabel]: ring.metadata.name },
        annotations: { [identityAnnotation]: name === podShard ? uid : `pod-of-${name}` },
      };
      await client.create<Lease>(leases, { metadata, spec: { holderIdentity: name } });
    }
    const tokenOf = async (writer: Writer): Promise<string> => {
      const account = accounts[writer];
      const bound = writer === 'shard' ? ['--bound-object-kind=Pod', `--bound-object-name=${podShard}`] : [];
      const args = ['-n', account.namespace, 'create', 'token', account.name, '--duration=2h', ...bound];
      return (await controlPlane.kubectl(args)).trim();
    };
    const clients = {
      sharder: clientFor(await tokenOf('sharder')),
      shard: clientFor(await tokenOf('shard')),
      user: clientFor(await tokenOf('user')),
    };
    return { cluster: new PoliciesCluster(controlPlane, client, clients), clients };
  }

  /** The objects of one resource, all with the label of the shard that has a pod. */
  async createObjects(resource: Resource, prefix: string, count: number): Promise<PartialObject[]> {
    const objects: PartialObject[] = [];
    for (let index = 0; index < count; index += 1) {
      const metadata = { namespace, name: `${prefix}-${index}`, labels: { [label]: podShard } };
      objects.push(await this.#client.create(resource, { metadata, data: { count: '' } }));
    }
    return objects;
  }

  /** Resolves when the API server does what is bound, and nothing else. */
  async bind(stage: Stage): Promise<void> {
    const all = policyBindings({ ring, fence: { by: 'lease', namespace } });
    const wanted =
      stage === 'none'
        ? []
        : policyBindings({ ring, fence: stage === 'fence' ? { by: 'lease', namespace } : undefined });
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const text = (bindings: readonly PolicyBinding[]): string =>
      bindings.map((each) => stringify(each)).join('---\n');
    const unwanted = all.filter(({ metadata }) => !names.has(metadata.name));
    if (wanted.length > 0) await this.#controlPlane.kubectl(['apply', '-f', '-'], { input: text(wanted) });
    if (unwanted.length > 0) {
      await this.#controlPlane.kubectl(['delete', '--ignore-not-found', '-f', '-'], {
        input: text(unwanted),
      });
    }
    const expected = { undone: stage !== 'none', changed: stage === 'none', fences: stage === 'fence' };
    await waitFor(
      `the API server to act by: ${stage}`,
      async () => isDeepStrictEqual(await this.#acts(), expected),
      { timeoutMs: 60_000 },
    );
  }

  /** Whether a user's change of a shard label is undone, and a pod's write to another shard's object refused. */
  async #acts(): Promise<{ undone: boolean; changed: boolean; fences: boolean }> {
    const ref = { namespace, name: `probe-${performance.now()}` };
    const labelled = (shard: string): Patch => ({
      type: 'merge',
      body: { metadata: { labels: { [label]: shard } } },
    });
    await this.#client.create(configMaps, { metadata: ref });
    try {
      await this.#clients.sharder.patch(configMaps, ref, labelled(otherShard));
      const isRefused = refusal(this.#clients.user.patch(configMaps, ref, labelled(podShard)));
      // One of the two policies refuses what the other one undoes: before both of them act, or none, it isn't over.
      const undone = !(await isRefused) && (await this.#shardOf(ref)) === otherShard;
      const changed = !(await isRefused) && !undone;
      await this.#clients.sharder.patch(configMaps, ref, labelled(otherShard));
      const touch: Patch = { type: 'merge', body: { data: { probe: '' } } };
      return { undone, changed, fences: await refusal(this.#clients.shard.patch(configMaps, ref, touch)) };
    } finally {
      await this.#client.delete(configMaps, ref);
    }
  }

  async #shardOf(ref: ObjectRef): Promise<string | undefined> {
    return (await this.#client.getMetadata(configMaps, ref)).metadata.labels?.[label];
  }
}

/** Whether a request is refused by the right to do it, or by a policy. */
const refusal = (request: Promise<unknown>): Promise<boolean> =>
  request.then(
    () => false,
    (error: unknown) => {
      if (isForbidden(error)) return true;
      throw error;
    },
  );

/** All may write the objects; the operator's account may operate the ring, which makes it a shard. */
function rights(): object[] {
  const api = 'rbac.authorization.k8s.io';
  const grant = (name: string, rule: object, to: readonly Writer[]): object[] => [
    { apiVersion: `${api}/v1`, kind: 'ClusterRole', metadata: { name }, rules: [rule] },
    {
      apiVersion: `${api}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: api, kind: 'ClusterRole', name },
      subjects: to.map((writer) => ({ kind: 'ServiceAccount', ...accounts[writer] })),
    },
  ];
  return [
    ...Object.values(accounts).map((metadata) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata })),
    ...grant('writes', { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['*'] }, writers),
    ...grant(
      'operates',
      {
        apiGroups: ['sharding.timebertt.dev'],
        resources: ['controllerrings'],
        resourceNames: [ring.metadata.name],
        verbs: ['operate'],
      },
      ['shard'],
    ),
  ];
}
