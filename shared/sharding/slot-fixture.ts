import { deployments, leases, pods, replicaSets, secrets, statefulSets } from '../kube/resources.ts';
import type { KubeObject, OwnerReference, Resource } from '../kube/types.ts';
import { type Lease, microTime } from '../lease/lease.ts';
import { claimed } from '../lease/lease-claim.ts';
import { handedOverAnnotation, identityAnnotation, ringLabel } from './contract.ts';
import { assigned, ref, ring, ShardWorld } from './shard-fixture.ts';

interface Scaled extends KubeObject {
  spec: { replicas: number };
}

type Reconcile = NonNullable<Parameters<ShardWorld['start']>[0]>['reconcile'];

/** A Lease of a slot, as its last holder left it. */
export interface LeftSlot {
  number: number;
  holder?: string;
  identity?: string;
  marks?: Record<string, string>;
}

export const handedOver = { [handedOverAnnotation]: 'true' };

/** Names in their order; '-' for none. */
export const sorted = (names: Array<string | undefined>): string[] =>
  names.map((name) => name ?? '-').toSorted();

/** A workload whose pods take slots. */
export class SlotWorld extends ShardWorld {
  readonly #workload: Resource;
  readonly #owner: KubeObject;

  constructor(
    replicas: number,
    workload: 'Deployment' | 'StatefulSet' = 'Deployment',
    server?: ConstructorParameters<typeof ShardWorld>[0],
  ) {
    super(server);
    this.#workload = workload === 'Deployment' ? deployments : statefulSets;
    const top = this.api.seed<Scaled>(this.#workload, {
      apiVersion: 'apps/v1',
      kind: workload,
      metadata: ref('operator'),
      spec: { replicas },
    });
    this.#owner = workload === 'StatefulSet' ? top : this.#replicaSet(top);
  }

  /** A second, in which chains of requests come to their end. */
  async pass(): Promise<void> {
    for (let i = 0; i < 10; i += 1) await this.clock.advance(100);
  }

  scale(replicas: number): void {
    this.api.change<Scaled>(this.#workload, ref('operator'), ({ spec }) => {
      spec.replicas = replicas;
    });
  }

  deleteWorkload(): void {
    this.api.remove(this.#workload, ref('operator'));
  }

  /** Starts a pod of the workload; its uid is `<name>-uid`, unless that is said. */
  pod(name: string, identity = `${name}-uid`, reconcile?: Reconcile) {
    if (this.api.peek(pods, ref(name)) === undefined) {
      this.api.seed(pods, { metadata: { ...ref(name), ownerReferences: [controlledBy(this.#owner)] } });
    }
    const client = this.api.client({ user: name });
    return this.start({ client, slots: { pod: ref(name) }, identity, ...(reconcile && { reconcile }) });
  }

  /** A Lease that a former process left. */
  left({ number, holder = `${ring}-${number}`, identity = 'old', marks = {} }: LeftSlot): void {
    const claim = {
      ...ref(`${ring}-${number}`),
      holder,
      durationSeconds: 15,
      labels: { [ringLabel]: ring },
      annotations: { [identityAnnotation]: identity, ...marks },
    };
    this.api.seed<Lease>(leases, claimed(undefined, claim, this.clock.now()));
  }

  /** Its holder, from elsewhere, renews. */
  renew(number: number): void {
    this.api.change<Lease>(leases, ref(`${ring}-${number}`), ({ spec }) => {
      if (spec) spec.renewTime = microTime(this.clock.now());
    });
  }

  /** Who holds the slot: a pod's uid; '' when it is released, with a star when it was handed over. */
  holder(number: number): string | undefined {
    const lease = this.lease(`${ring}-${number}`);
    if (lease === undefined) return undefined;
    const { annotations } = lease.metadata;
    if (lease.spec?.holderIdentity === '')
      return annotations?.[handedOverAnnotation] === undefined ? '' : '*';
    return lease.spec?.holderIdentity === lease.metadata.name ? annotations?.[identityAnnotation] : 'another';
  }

  /** Holders of the first slots. */
  holders(count: number): Array<string | undefined> {
    return Array.from({ length: count }, (_, number) => this.holder(number));
  }

  /** Secrets on each of these slots. */
  objects(slots: number, perSlot: number): void {
    for (let number = 0; number < slots; number += 1) {
      for (let i = 0; i < perSlot; i += 1) this.secret(`s-${number}-${i}`, `${ring}-${number}`);
    }
  }

  /** Slots that the objects are on. */
  get assignments(): Array<string | undefined> {
    return this.api.all(secrets).map(({ metadata }) => metadata.labels?.[assigned]);
  }

  #replicaSet(deployment: KubeObject): KubeObject {
    return this.api.seed<Scaled>(replicaSets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { ...ref('operator-1'), ownerReferences: [controlledBy(deployment)] },
      // Of a rollout under way: what counts is the Deployment's.
      spec: { replicas: 77 },
    });
  }
}

const controlledBy = ({ apiVersion = '', kind = '', metadata }: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
});
