import { isDeepStrictEqual } from 'node:util';
import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { identityAnnotation, ringLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { waitFor } from '../harness/wait-for.ts';
import { isReady, type Pod, podsOf } from './pods.ts';
import type { SuiteCluster } from './suite-cluster.ts';

export const ring = 'checksum-controller';
export const operator = 'checksum-operator';
export const operatorNamespace = 'checksum-system';
const label = shardLabel(ring);
const controlledPrefix = 'checksums-';
const NEW_ONES = 12;

/** What can be seen of the checksum operator's ring in one namespace of a cluster. */
export class RingView {
  readonly namespace: string;
  readonly #cluster: SuiteCluster;

  constructor(cluster: SuiteCluster, namespace: string) {
    this.#cluster = cluster;
    this.namespace = namespace;
  }

  /** Creates a Secret; resolves to the shard that the answer names. */
  async create(name: string, options: { signal?: AbortSignal } = {}): Promise<string | undefined> {
    const secret = { metadata: { namespace: this.namespace, name }, stringData: { key: name } };
    const { metadata } = await this.#cluster.client.create<KubeObject>(secrets, secret, options);
    return metadata.labels?.[label];
  }

  async createMany(prefix: string, count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) await this.create(`${prefix}-${number}`);
  }

  /** The Secrets' and the ConfigMaps' shards by name of the Secret; undefined without one. */
  async shards(): Promise<{
    owners: Map<string, string | undefined>;
    children: Map<string, string | undefined>;
  }> {
    const { owners, children } = await this.#objects();
    const shardOf = ({ metadata }: PartialObject): string | undefined => metadata.labels?.[label];
    return {
      owners: new Map(owners.map((each) => [each.metadata.name, shardOf(each)])),
      children: new Map(
        children.map((each) => [each.metadata.name.slice(controlledPrefix.length), shardOf(each)]),
      ),
    };
  }

  /** Any write to any object changes this. */
  async versions(): Promise<string[]> {
    const { owners, children } = await this.#objects();
    return [...owners, ...children].map(
      ({ metadata }) => `${metadata.name} ${metadata.labels?.[label]} ${metadata.resourceVersion}`,
    );
  }

  /** The shards that hold their Lease, and the pod of each (its uid). */
  holders(): Promise<Map<string, string | undefined>> {
    return holdersOf(this.#cluster, operatorNamespace, ring);
  }

  /** The operator's pods, but for those that are about to end. */
  pods(): Promise<Pod[]> {
    return podsOf(this.#cluster, operatorNamespace, operator);
  }

  /**
   * Waits until as many shards hold their Lease, each by a pod of its own that is ready, and have all objects among them,
   * each with what it controls, and none more than a third over its share. Returns the shards of the Secrets.
   */
  async untilSpread(shards: number, timeoutMs = 60_000): Promise<Map<string, string | undefined>> {
    const problem = { text: '' };
    const look = async (): Promise<Map<string, string | undefined> | undefined> => {
      const holders = await this.holders();
      const { owners, children } = await this.shards();
      const held = [...holders.keys()];
      problem.text = pastPods(holders, await this.pods()) || unevenness(owners, children, held, shards);
      return problem.text === '' ? owners : undefined;
    };
    return waitFor(`${shards} shards to share the objects`, look, { timeoutMs, everyMs: 250 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}: ${problem.text}`, { cause: error });
      },
    );
  }

  /** Creates some more Secrets, and waits for their ConfigMaps: all replicas are at work. */
  async untilReconciled(prefix: string): Promise<void> {
    await this.createMany(prefix, NEW_ONES);
    await waitFor(`the ConfigMaps of ${NEW_ONES} new Secrets`, async () => {
      const { children } = await this.shards();
      return [...children.keys()].filter((name) => name.startsWith(`${prefix}-`)).length === NEW_ONES;
    });
  }

  async #objects(): Promise<{ owners: PartialObject[]; children: PartialObject[] }> {
    const list = async (resource: Resource): Promise<PartialObject[]> => {
      const pages = this.#cluster.client.list<KubeObject>(resource, 'metadata', {
        namespace: this.namespace,
      });
      return (await Array.fromAsync(pages)).flatMap(({ items }) => items);
    };
    const isControlled = ({ metadata }: PartialObject): boolean => metadata.name.startsWith(controlledPrefix);
    return { owners: await list(secrets), children: (await list(configMaps)).filter(isControlled) };
  }
}

/** The shards of a ring that hold their Lease, and the pod of each (its uid). */
export async function holdersOf(
  cluster: SuiteCluster,
  namespace: string,
  ofRing: string,
): Promise<Map<string, string | undefined>> {
  const { items } = await cluster.client.listPage<Lease>(leases, 'full', {
    namespace,
    labelSelector: `${ringLabel}=${ofRing}`,
  });
  const held = items.filter(({ metadata, spec }) => spec?.holderIdentity === metadata.name);
  return new Map(held.map(({ metadata }) => [metadata.name, metadata.annotations?.[identityAnnotation]]));
}

/** Which Leases aren't held by one of these pods; none: an empty text. */
export function pastPods(holders: ReadonlyMap<string, string | undefined>, pods: readonly Pod[]): string {
  const uids = new Set(pods.filter(isReady).map(({ metadata }) => metadata.uid));
  const past = [...holders].filter(([, uid]) => uid === undefined || !uids.has(uid));
  return past.length === 0 ? '' : `held by pods that aren't ready: ${past.map(([name]) => name).join(', ')}`;
}

/** What there is to wait for; nothing: an empty text. */
export function unevenness(
  owners: ReadonlyMap<string, string | undefined>,
  children: ReadonlyMap<string, string | undefined>,
  held: readonly string[],
  shards: number,
): string {
  if (held.length !== shards) return `Leases held: ${held.join(', ')}`;
  const loads = new Map<string | undefined, number>();
  for (const shard of owners.values()) loads.set(shard, (loads.get(shard) ?? 0) + 1);
  const told = [...loads].map(([shard, load]) => `${shard}: ${load}`).join(', ');
  if ([...loads.keys()].some((shard) => shard === undefined || !held.includes(shard))) return told;
  const most = Math.ceil((owners.size / shards) * (4 / 3));
  if (loads.size !== shards || Math.max(...loads.values()) > most) return told;
  if (!isDeepStrictEqual(new Map(owners), new Map(children))) {
    return `controlled objects aren't with their owners: ${children.size} of ${owners.size}`;
  }
  return '';
}
