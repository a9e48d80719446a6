import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Labels, Resource } from '@controller-sharding/shared/kube/types.ts';
import { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ApiRequest } from '@controller-sharding/shared/testing/api-faults.ts';
import { MembershipWorld, ring } from '../membership/membership-fixture.ts';
import type { ShardLoad } from '../metrics/move-gauges.ts';
import { createHasher } from '../placement/rendezvous.ts';
import type { MainResource, RingScope } from '../rings/ring-scope.ts';
import { LabelWriter, type LabelWriterOptions } from './label-writer.ts';
import { MoveLimit } from './move-limit.ts';
import { Refusals } from './refusals.ts';
import type { RingMoves } from './ring-moves.ts';

export const assigned = shardLabel(ring);
export const drain = drainLabel(ring);
export const ref = (name: string, namespace = 'default') => ({ namespace, name });

const hasher = await createHasher();

/** A ring of Secrets that control ConfigMaps, with its shards and its leader. */
export class RingWorld extends MembershipWorld {
  readonly main: MainResource = { resource: secrets, controlled: [configMaps] };
  /** Whether the ring selects a namespace; one that isn't here is not known. */
  readonly namespaces = new Map([
    ['default', true],
    ['other', true],
    ['foreign', false],
  ]);
  readonly fence = new WriteFence(this.clock, 15_000);
  readonly limit = new MoveLimit(this.clock, 10);
  /** Events, as `reason name`. */
  readonly told: string[] = [];
  /** What was moved, each from where. */
  readonly times: string[] = [];
  loaded: readonly ShardLoad[] = [];
  readonly counts = { assigned: 0, moved: 0, drained: 0, calculated: 0 };
  readonly moves: RingMoves = {
    client: this.api,
    clock: this.clock,
    logger: silentLogger,
    hasher,
    membership: this.membership,
    metrics: {
      assigned: () => void (this.counts.assigned += 1),
      moved: () => void (this.counts.moved += 1),
      drained: () => void (this.counts.drained += 1),
      calculated: () => void (this.counts.calculated += 1),
      moveTook: (_ring, from) => void this.times.push(from),
      planned: () => undefined,
      loaded: (_ring, loads) => void (this.loaded = loads),
      observeMoves: () => () => undefined,
      observeLimit: () => undefined,
      forget: () => undefined,
    },
    events: {
      record: ({ reason, regarding }) => void this.told.push(`${reason} ${regarding.metadata.name}`),
    },
    scope: this.#scope(),
    fence: this.fence,
    writer: this.writer(this.api),
    limit: this.limit,
  };

  /** As `moves.writer`, by another client, fence or limit. */
  writer(client: LabelWriterOptions['client'], more: Partial<LabelWriterOptions> = {}): LabelWriter {
    const { fence, limit, clock } = this;
    const record: EventSink['record'] = ({ reason, regarding }) =>
      void this.told.push(`${reason} ${regarding.metadata.name}`);
    return new LabelWriter({ client, fence, limit, refusals: new Refusals({ record }, clock), ...more });
  }

  constructor() {
    super();
    this.fence.renewed(0);
    const renew = (): void => {
      if (this.stop.signal.aborted) return;
      this.fence.renewed(this.clock.monotonic());
      this.clock.after(2_000, renew);
    };
    this.clock.after(2_000, renew);
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  /** A ring with these shards, watched since a second. */
  async withShards(...names: string[]): Promise<this> {
    for (const name of names) this.shard(name);
    await this.watch();
    return this;
  }

  secret(name: string, shard?: string, labels: Labels = {}, namespace = 'default'): KubeObject {
    const all = { ...labels, ...(shard !== undefined && { [assigned]: shard }) };
    return this.api.seed<KubeObject>(secrets, { metadata: { ...ref(name, namespace), labels: all } });
  }

  secrets(count: number, shard?: string): void {
    for (let number = 0; number < count; number += 1) this.secret(`s${number}`, shard);
  }

  configMap(name: string, owner: KubeObject, shard?: string): KubeObject {
    return this.controlled(configMaps, name, owner, shard);
  }

  /** In the namespace of its owner, else in that one. */
  controlled(
    resource: Resource,
    name: string,
    owner: KubeObject,
    shard?: string,
    namespace = owner.metadata.namespace,
  ): KubeObject {
    const { apiVersion = '', kind = '', metadata } = owner;
    const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
    const labels = shard === undefined ? {} : { [assigned]: shard };
    return this.api.seed<KubeObject>(resource, {
      metadata: { name, ...(namespace !== undefined && { namespace }), labels, ownerReferences: [reference] },
    });
  }

  labels(resource: Resource, name: string, namespace = 'default'): Labels {
    return this.api.peek<KubeObject>(resource, ref(name, namespace))?.metadata.labels ?? {};
  }

  shardOf(name: string, namespace = 'default'): string | undefined {
    return this.labels(secrets, name, namespace)[assigned];
  }

  childShard(name: string, namespace = 'default'): string | undefined {
    return this.labels(configMaps, name, namespace)[assigned];
  }

  drainOf(name: string): string | undefined {
    return this.labels(secrets, name)[drain];
  }

  /** Objects of each shard; those without one under ''. */
  loads(): Record<string, number> {
    const loads: Record<string, number> = {};
    for (const { metadata } of this.api.all<KubeObject>(secrets)) {
      const shard = metadata.labels?.[assigned] ?? '';
      loads[shard] = (loads[shard] ?? 0) + 1;
    }
    return loads;
  }

  /** Label writes to objects, as `resource/name`, in their order. */
  relabelled(): string[] {
    return this.api
      .writes('patch')
      .filter(({ resource }) => ['secrets', 'configmaps', 'pods', 'namespaces'].includes(resource))
      .map(({ resource, object }) => `${resource}/${object.slice(object.indexOf('/') + 1)}`);
  }

  /** From now on living shards obey drains: ours hand over, foreign ones remove both labels. */
  obey({ foreign = [] }: { foreign?: string[] } = {}): void {
    const look = (): void => {
      for (const { metadata } of this.api.all<KubeObject>(secrets)) {
        const shard = metadata.labels?.[assigned];
        const to = metadata.labels?.[drain];
        if (shard === undefined || to === undefined || this.state(shard) !== 'ready') continue;
        const isForeign = foreign.includes(shard);
        if (!isForeign) {
          for (const child of this.childrenOf(metadata.uid)) {
            this.api.label(configMaps, child.metadata, { [assigned]: to || undefined });
          }
        }
        const next = isForeign ? undefined : to || undefined;
        this.api.label(secrets, metadata, { [assigned]: next, [drain]: undefined });
      }
      if (!this.signal.aborted) this.clock.after(100, look);
    };
    this.clock.after(100, look);
  }

  childrenOf(uid: string | undefined): KubeObject[] {
    const children = this.api.all<KubeObject>(configMaps);
    return children.filter(({ metadata }) =>
      metadata.ownerReferences?.some((reference) => reference.uid === uid),
    );
  }

  #scope(): RingScope {
    return {
      ring,
      mains: [this.main],
      former: [],
      missing: [],
      selects: (namespace) => (namespace === undefined ? true : this.namespaces.get(namespace)),
    };
  }
}

/** Requests that relabel this object. */
export const patchOf =
  (resource: string, name: string) =>
  (request: ApiRequest): boolean =>
    request.verb === 'patch' && request.resource === resource && request.object.endsWith(`/${name}`);
