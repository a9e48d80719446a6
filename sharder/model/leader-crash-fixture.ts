import { controllerRings, leases, namespaces, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { becomeLeader } from '@controller-sharding/shared/lease/leader-election.ts';
import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import { controllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { pinLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { type ApiRequest, connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { lead } from '../cli/lead.ts';
import { Membership } from '../membership/membership.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, drain } from '../moves/ring-fixture.ts';
import { ResourceAccess } from '../rings/resource-access.ts';
import { Rings } from '../rings/rings.ts';
import { ModelWorld } from './model-fixture.ts';

/** What becomes of the leader after one of its writes. */
export interface Crash {
  afterWrite: number;
  /** `gone`: it does nothing any more. `cut-off`: the write took effect, its answer is lost, and no request arrives. */
  how: 'gone' | 'cut-off';
}

const leader = 'sharder-1';
const leaderLease = { namespace: 'sharding-system', name: 'sharder' };

/** Two replicas of the sharder, of which one leads, shards, and a ring of owners with one controlled object each. */
export class CrashWorld extends ModelWorld {
  readonly #owners: number;
  /** The leader's writes since the change, but for those to its own Lease. */
  writes = 0;
  #counting = false;

  constructor(owners: number) {
    super();
    this.#owners = owners;
  }

  /** Until everything is assigned and at rest; so many of the owners are pinned to `c`. */
  async begin(shards: string[], pinned: number): Promise<void> {
    this.api.seed(namespaces, { metadata: { name: 'default' } });
    this.api.seed<ControllerRing>(controllerRings, {
      metadata: { name: ring },
      spec: {
        resources: [
          { group: '', resource: 'secrets', controlledResources: [{ group: '', resource: 'configmaps' }] },
        ],
      },
    });
    for (const name of shards) this.process(name);
    this.candidate(leader);
    await this.clock.advance(2_000);
    this.candidate('sharder-2');
    for (let number = 0; number < this.#owners; number += 1) {
      this.secret(`s${number}`, undefined, number < pinned ? { [pinLabel(ring)]: 'c' } : {});
    }
    await this.rests(shards, 'placed');
    await this.clock.advance(5_000);
  }

  /** A replica of the sharder, as its command runs it. */
  candidate(user: string): void {
    const { clock, signal } = this;
    const logger = silentLogger;
    const client = this.api.client({ user });
    const membership = new Membership({ client, clock, logger });
    const access = new ResourceAccess({ client, clock, logger });
    const rings = new Rings({ client, mapper: this.api.mapper, access, clock, logger });
    const claim = { ...leaderLease, holder: user, durationSeconds: 15 };
    const run = async (): Promise<void> => {
      await Promise.all([membership.waitForSync(signal), rings.waitForSync(signal)]);
      const held = await becomeLeader({ client, clock, logger, claim }, signal);
      const parts = {
        client,
        membership,
        rings,
        access,
        held,
        controllerMetrics: controllerMetrics(createRegistry()),
      };
      const overdue = { drainTimeoutMs: 300_000, takeOver: false };
      const options = { webhooks: undefined, syncPeriodMs: 300_000, overdue, concurrency: 10 };
      await lead({ ...this.moves, ...parts, ...options }, signal);
    };
    void membership.run(signal);
    void rings.run(signal);
    // It ends by itself when it loses its Lease.
    void run().catch(() => undefined);
  }

  /** From now on the leader's writes are counted, and it ends after one of them. */
  crash(crash: Crash | undefined): void {
    this.#counting = true;
    const isLast = (request: ApiRequest): boolean => {
      if (!this.#counts(request)) return false;
      this.writes += 1;
      return this.writes === crash?.afterWrite;
    };
    if (crash?.afterWrite === 0) this.disconnect(leader, crash.how);
    this.api.fault({
      on: isLast,
      meanwhile: () => this.disconnect(leader, crash?.how),
      effect: true,
      ...(crash?.how === 'gone' ? { answerMs: Infinity } : { error: connectionError() }),
    });
  }

  #counts({ user, verb, object }: ApiRequest): boolean {
    const isWrite = verb !== 'get' && verb !== 'list' && verb !== 'watch';
    const own = `${leaderLease.namespace}/${leaderLease.name}`;
    return this.#counting && user === leader && isWrite && object !== own;
  }

  /** Until every owner and its controlled object are on one of these shards, and none is on the move. */
  async rests(shards: string[], how: 'level' | 'placed'): Promise<void> {
    const isAtRest = (): boolean => this.#arePlaced(shards) && (how === 'placed' || this.#isLevel(shards));
    await this.until(`rest on ${shards.join()}`, isAtRest, 60_000, 500);
  }

  #arePlaced(shards: string[]): boolean {
    const owners = this.api.all<KubeObject>(secrets);
    return owners.every(({ metadata: { name, labels } }) => {
      const shard = labels?.[assigned] ?? '';
      return (
        shards.includes(shard) && labels?.[drain] === undefined && this.childShard(`${name}-sums`) === shard
      );
    });
  }

  #isLevel(shards: string[]): boolean {
    const share = this.#owners / shards.length;
    const loads = this.loads();
    return shards.every((name) => Math.abs((loads[name] ?? 0) - share) <= Math.sqrt(share));
  }

  /** Shard of each owner. */
  assignments(): Record<string, string | undefined> {
    return Object.fromEntries(
      this.api.all<KubeObject>(secrets).map(({ metadata }) => [metadata.name, metadata.labels?.[assigned]]),
    );
  }

  get leads(): string {
    const lease = this.api.peek<Lease>(leases, leaderLease);
    return lease === undefined ? '' : holderOf(lease);
  }
}
