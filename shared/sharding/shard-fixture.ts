import { configMaps, leases, secrets } from '../kube/resources.ts';
import type { KubeObject, Labels, Resource } from '../kube/types.ts';
import type { Lease } from '../lease/lease.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { drainLabel, shardLabel } from './contract.ts';
import { Shard } from './shard.ts';
import type { ShardEvent } from './shard-event.ts';
import type { ShardController, ShardOptions } from './shard-options.ts';

export const ring = 'ring';
export const assigned = shardLabel(ring);
export const drain = drainLabel(ring);
export const ref = (name: string) => ({ namespace: 'default', name });

type Reconcile = ShardController<KubeObject>['reconcile'];

/** A shard with a controller for `main`, and more of them. */
export interface WorldShardOptions extends ShardOptions {
  main: Resource;
  controlled: Resource[];
  concurrency: number;
  reconcile: Reconcile;
  more: ShardController<KubeObject>[];
}

export const shardController = (
  main: Resource,
  owned: Resource[],
  reconcile: Reconcile,
  options: Partial<ShardController<KubeObject>> = {},
): ShardController<KubeObject> => ({
  name: main.resource,
  for: { resource: main },
  owns: owned.map((resource) => ({ resource })),
  reconcile,
  ...options,
});

const sumUp: Reconcile = async ({ object, writer, controlled }) => {
  const name = `${object.metadata.name}-sums`;
  if (controlled(configMaps).some(({ metadata }) => metadata.name === name)) return;
  await writer.create(configMaps, controlledBy(object, name));
};

/** An API server on virtual time, with Secrets as main and ConfigMaps as controlled objects, for tests of shards. */
export class ShardWorld {
  readonly clock: FakeClock;
  readonly api: MemoryApi;

  /** Default: a server of its own. */
  constructor(server?: { clock: FakeClock; api: MemoryApi }) {
    this.clock = server?.clock ?? new FakeClock();
    this.api = server?.api ?? new MemoryApi(this.clock);
  }

  secret(name: string, shard: string | undefined, labels: Labels = {}): KubeObject {
    return this.api.seed(secrets, {
      metadata: { ...ref(name), labels: { ...labels, ...(shard !== undefined && { [assigned]: shard }) } },
    });
  }

  /** `owner`: the name of its Secret. */
  configMap(name: string, owner: string, shard: string): KubeObject {
    return this.api.seed(
      configMaps,
      controlledBy(this.api.peek(secrets, ref(owner)), name, { [assigned]: shard }),
    );
  }

  labels(resource: typeof secrets, name: string): Labels | undefined {
    return this.api.peek(resource, ref(name))?.metadata.labels;
  }

  /** The shards of a Secret and of its ConfigMap. */
  shards(secret: string, configMap: string): Array<string | undefined> {
    return [this.labels(secrets, secret)?.[assigned], this.labels(configMaps, configMap)?.[assigned]];
  }

  lease(name = 'a'): Lease | undefined {
    return this.api.peek<Lease>(leases, ref(name));
  }

  drain(secret: string, to: string | undefined): void {
    this.api.label(secrets, ref(secret), { [drain]: to });
  }

  /** Starts the shard `a`; by default a reconcile creates the ConfigMap `<name>-sums` where it is missing. */
  start({
    main = secrets,
    controlled: owned = [configMaps],
    concurrency = 5,
    reconcile = sumUp,
    more = [],
    ...options
  }: Partial<WorldShardOptions> = {}) {
    const stop = new AbortController();
    const events: ShardEvent[] = [];
    const shard = new Shard(
      {
        client: this.api,
        clock: this.clock,
        logger: silentLogger,
        ring,
        shard: 'a',
        leaseNamespace: 'default',
        identity: 'pod-1',
        observer: (event) => events.push(event),
        ...options,
      },
      [shardController(main, owned, reconcile, { concurrency }), ...more],
    );
    let error: unknown;
    let ended = false;
    const running = shard
      .run(stop.signal)
      .catch((reason: unknown) => {
        error = reason;
      })
      .finally(() => {
        ended = true;
      });
    const told = (kind: ShardEvent['event']): string[] =>
      events.flatMap((event) => (event.event === kind && 'object' in event ? [event.object] : []));
    return { shard, stop, events, told, running, error: () => error, ended: () => ended };
  }
}

export function controlledBy(owner: KubeObject | undefined, name: string, labels: Labels = {}): KubeObject {
  const { apiVersion = '', kind = '', metadata } = owner ?? { metadata: { name: '' } };
  const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
  return { metadata: { ...ref(name), labels, ownerReferences: [reference] } };
}

/** A promise that a test resolves when it likes. */
export const gate = (): PromiseWithResolvers<void> => Promise.withResolvers<void>();
