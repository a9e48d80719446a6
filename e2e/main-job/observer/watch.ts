import { shardSettings } from '@controller-sharding/sharder/membership/shard-settings.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import {
  controllerOf,
  type KubeObject,
  objectKey,
  type PartialObject,
  type Resource,
} from '@controller-sharding/shared/kube/types.ts';
import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import {
  drainLabel,
  pinLabel,
  ringLabel,
  shardLabel,
  stateLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { machineMs, type ObjectSeen, type ObservedEvent } from './events.ts';

export interface WatchOptions {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  ring: string;
  namespace: string;
  sharderNamespace: string;
  /** Name of the Lease of the sharders' election. */
  leaderLease: string;
  emit: (event: ObservedEvent) => void;
}

/** The observer's own watches: every Secret and ConfigMap of the job's namespace, the ring's Leases, the leader's. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #informers: Informer<KubeObject>[];

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#informers = [this.#objects('secrets', secrets), this.#objects('configmaps', configMaps)];
    const shards = this.#leases(
      options.namespace,
      { labelSelector: `${ringLabel}=${options.ring}` },
      (lease) => this.#shardLease(lease, holderOf(lease)),
    );
    const leader = this.#leases(
      options.sharderNamespace,
      { fieldSelector: `metadata.name=${options.leaderLease}` },
      (lease) => options.emit({ kind: 'leader', at: machineMs(), holder: holderOf(lease) }),
    );
    this.#informers.push(shards, leader);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.waitForSync(signal)));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.run(signal)));
  }

  #objects(name: ObjectSeen['resource'], resource: Resource): Informer<KubeObject> {
    const { client, clock, logger, namespace, ring, emit } = this.#options;
    const [shard, drain, pin] = [shardLabel(ring), drainLabel(ring), pinLabel(ring)];
    let healthy = true;
    const health = (now: boolean): void => {
      if (healthy === now) return;
      healthy = now;
      emit({ kind: 'watch', at: machineMs(), resource: name, healthy });
    };
    const informer = new Informer<PartialObject>({
      client,
      resource,
      form: 'metadata',
      namespace,
      // Others' ConfigMaps (kube-root-ca.crt) belong to no ring.
      keep: (object) => name === 'secrets' || controllerOf(object)?.kind === 'Secret',
      clock,
      logger,
      health: {
        connected: () => health(true),
        progress: () => health(true),
        disconnected: () => health(false),
      },
    });
    const seen = (object: PartialObject): void => {
      const { uid = '', resourceVersion = '', labels = {} } = object.metadata;
      emit({
        kind: 'object',
        at: machineMs(),
        resource: name,
        object: objectKey(object.metadata),
        uid,
        resourceVersion,
        shard: labels[shard],
        drain: labels[drain],
        pin: labels[pin],
        owner: name === 'secrets' ? undefined : controllerOf(object)?.uid,
      });
    };
    const gone = (object: PartialObject): void => {
      const { uid = '' } = object.metadata;
      emit({
        kind: 'object-gone',
        at: machineMs(),
        resource: name,
        object: objectKey(object.metadata),
        uid,
      });
    };
    informer.addHandler({
      added: seen,
      updated: (old, now) => {
        if (old.metadata.uid !== now.metadata.uid) gone(old);
        seen(now);
      },
      deleted: gone,
    });
    return informer;
  }

  #leases(
    namespace: string,
    selector: { labelSelector: string } | { fieldSelector: string },
    seen: (lease: Lease) => void,
  ): Informer<Lease> {
    const { client, clock, logger } = this.#options;
    const informer = new Informer<Lease>({
      client,
      resource: leases,
      form: 'full',
      namespace,
      ...selector,
      clock,
      logger,
    });
    informer.addHandler({
      added: seen,
      updated: (_, now) => seen(now),
      deleted: (last) => {
        if ('labelSelector' in selector) this.#shardLease(last, undefined);
        else this.#options.emit({ kind: 'leader', at: machineMs(), holder: '' });
      },
    });
    return informer;
  }

  #shardLease(lease: Lease, holder: string | undefined): void {
    const state = lease.metadata.labels?.[stateLabel];
    const { name, resourceVersion = '' } = lease.metadata;
    const { weight, cordoned, draining } = shardSettings(lease);
    this.#options.emit({
      kind: 'lease',
      at: machineMs(),
      shard: name,
      holder,
      state,
      resourceVersion,
      wishes: { weight, cordoned, draining },
    });
  }
}
