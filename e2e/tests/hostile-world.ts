import assert from 'node:assert/strict';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import {
  configMaps,
  controllerRings,
  events,
  leases,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Labels, PartialObject } from '@controller-sharding/shared/kube/types.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import {
  controllerRingKind,
  ringLabel,
  shardLabel,
  stateLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { drainOf, labelOf, type TestRing } from './test-ring.ts';

/** What somebody does through the API, and what follows. */
export interface HostileRow {
  what: string;
  /** The API server itself refuses what is done; the message says why. */
  refused?: RegExp;
  act(world: HostileWorld): Promise<unknown>;
  /** What is to be seen afterwards, sooner or later. */
  follows?(world: HostileWorld): Promise<unknown>;
}

/** So long something may take that follows from a Lease that runs out. */
const leaseMs = 60_000;

export const [assigned, longest] = [shardLabel(ringName), 'x'.repeat(63)];

/** A user with bad ideas, and what he looks at. */
export class HostileWorld {
  readonly ring: TestRing;

  constructor(ring: TestRing) {
    this.ring = ring;
  }

  get client(): TestRing['client'] {
    return this.ring.client;
  }

  get namespace(): string {
    return this.ring.namespace;
  }

  ref(name: string): { namespace: string; name: string } {
    return { namespace: this.namespace, name };
  }

  /** Creates a Secret; with which shard's label it came back. */
  async secret(
    name: string,
    labels?: Labels,
    metadata: Partial<KubeObject['metadata']> = {},
  ): Promise<string | undefined> {
    const secret = secretNamed(this.namespace, name);
    const all = { ...secret.metadata, ...metadata, ...(labels && { labels }) };
    return labelOf(await this.client.create(secrets, { ...secret, metadata: all }));
  }

  label(name: string, labels: Record<string, string | null>): Promise<PartialObject> {
    const body = { metadata: { labels } };
    return this.client.patchMetadata(secrets, this.ref(name), { type: 'merge', body });
  }

  configMap(
    name: string,
    owner: { kind: string; name: string; uid: string; apiVersion?: string },
  ): Promise<KubeObject> {
    return this.client.create<KubeObject>(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...this.ref(name), ownerReferences: [{ apiVersion: 'v1', controller: true, ...owner }] },
    });
  }

  /** Looks again and again, for as long as anything may take that doesn't wait for a Lease to run out. */
  until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    return waitFor(what, look, { timeoutMs: 30_000, everyMs: 500 });
  }

  /** Waits until the Secret is on a live shard, its ConfigMap too, and nobody is asked to give it away. */
  settled(name: string): Promise<string> {
    return waitFor(
      `${name} to settle`,
      async () => {
        const secret = await this.client.getMetadata(secrets, this.ref(name));
        const labelSelector = `secret=${name}`;
        const { namespace } = this;
        const { items } = await this.client.listPage(configMaps, 'metadata', { namespace, labelSelector });
        const shard = labelOf(secret);
        const live = this.ring.job.fleet.replicas.includes(shard ?? '');
        const together = items.length === 1 && items.every((item) => labelOf(item) === shard);
        return live && together && drainOf(secret) === undefined && shard;
      },
      { timeoutMs: leaseMs, everyMs: 1_000 },
    );
  }

  /** A Lease of the ring, held by its own shard, which gets nothing. */
  lease(
    name: string,
    change: { spec?: object; ring?: string; annotations?: Labels; namespace?: string } = {},
  ) {
    const { spec = {}, ring = ringName, namespace = this.namespace } = change;
    const annotations = { 'alpha.sharding.timebertt.dev/cordoned': 'true', ...change.annotations };
    return this.client.create<KubeObject & { spec: object }>(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, labels: { [ringLabel]: ring }, annotations },
      spec: { holderIdentity: name, leaseDurationSeconds: 3, ...spec },
    });
  }

  /** Waits for the state that the sharder tells of a Lease. */
  state(name: string, ...states: Array<string | undefined>): Promise<true> {
    return waitFor(
      `the Lease ${name.slice(0, 20)} to be ${states.join(' or ')}`,
      async () => {
        const { metadata } = await this.client.getMetadata(leases, this.ref(name));
        return states.includes(metadata.labels?.[stateLabel]);
      },
      { timeoutMs: leaseMs, everyMs: 1_000 },
    );
  }

  /** Waits for an Event about an object. */
  event(name: string, reason: string, note: RegExp, namespace = this.namespace): Promise<true> {
    return waitFor(
      `the Event ${reason} about ${name.slice(0, 20)}`,
      async () => {
        const fieldSelector = `regarding.name=${name}`;
        const { items } = await this.client.listPage<KubeObject & { reason?: string; note?: string }>(
          events,
          'full',
          { namespace, fieldSelector },
        );
        return items.some((event) => event.reason === reason && note.test(event.note ?? ''));
      },
      { timeoutMs: 30_000, everyMs: 1_000 },
    );
  }

  controllerRing(name: string, spec: unknown = { resources: [{ resource: 'pods' }] }): Promise<KubeObject> {
    return this.client.create<KubeObject & { spec?: unknown }>(controllerRings, {
      apiVersion: controllerRingApiVersion,
      kind: controllerRingKind,
      metadata: { name },
      spec,
    });
  }

  /** Waits until the ring says that of itself, as `status reason: message`. */
  ready(name: string, expected: RegExp): Promise<string> {
    return waitFor(
      `the condition of the ring ${name.slice(0, 20)}`,
      async () => {
        const { status } = await this.client.get<ControllerRing>(controllerRings, { name });
        const condition = status?.conditions?.find(({ type }) => type === 'Ready');
        const text = condition && `${condition.status} ${condition.reason}: ${condition.message}`;
        return text !== undefined && expected.test(text) && text;
      },
      { timeoutMs: 30_000, everyMs: 1_000 },
    );
  }

  /** The object has no shard's label, and gets none while an ordinary one does. */
  async unlabelled(name: string, resource = configMaps): Promise<void> {
    await this.secret(`after-${name}`);
    await this.settled(`after-${name}`);
    try {
      assert.equal(labelOf(await this.client.getMetadata(resource, this.ref(name))), undefined);
    } catch (error) {
      // The garbage collector may have had it.
      if (!isNotFound(error)) throw error;
    }
  }

  leaseOf(name: string): Promise<Lease> {
    return this.client.get<Lease>(leases, this.ref(name));
  }
}
