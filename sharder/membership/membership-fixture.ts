import { controllerRings, leases } from '@controller-sharding/shared/kube/resources.ts';
import { type Lease, microTime } from '@controller-sharding/shared/lease/lease.ts';
import { claimed } from '@controller-sharding/shared/lease/lease-claim.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { identityAnnotation, ringLabel, stateLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { Membership } from './membership.ts';

export const ring = 'ring';

/** A sharder's membership and what it does to Leases, on an API server in memory and on virtual time. */
export class MembershipWorld {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(this.clock, {
    resources: [{ ...controllerRings, statusSubresource: true }],
  });
  readonly stop = new AbortController();
  readonly membership = new Membership({ client: this.api, clock: this.clock, logger: silentLogger });
  /** What the keeper is told when it asks whether a shard is empty. */
  empty = true;
  rings = new Set([ring]);
  readonly #renewing = new Set<string>();

  /** As a standby: nothing is written. */
  async watch(): Promise<void> {
    void this.membership.run(this.stop.signal);
    await this.clock.advance(1_000);
  }

  /** As the leader. */
  async start(): Promise<void> {
    await this.watch();
    await this.lead();
  }

  async lead(): Promise<void> {
    const { clock, api, membership, stop } = this;
    const leaseKeeper = new LeaseKeeper({
      client: api,
      clock,
      logger: silentLogger,
      membership,
      ringExists: (name) => this.rings.has(name),
      isEmpty: () => Promise.resolve(this.empty),
    });
    void leaseKeeper.run(stop.signal);
    await clock.advance(1_000);
  }

  /** A shard that announces itself, and renews its Lease every 2 s until it is silenced. */
  shard(name: string, namespace = 'default', durationSeconds = 15): void {
    this.announce(name, namespace, durationSeconds);
    const key = `${namespace}/${name}`;
    this.#renewing.add(key);
    const renew = (): void => {
      if (!this.#renewing.has(key)) return;
      this.renew(name, namespace);
      this.clock.after(2_000, renew);
    };
    this.clock.after(2_000, renew);
  }

  announce(name: string, namespace = 'default', durationSeconds = 15): void {
    const labels = { [ringLabel]: ring };
    const annotations = { [identityAnnotation]: `pod-${name}` };
    const claim = { namespace, name, holder: name, durationSeconds, labels, annotations };
    this.api.seed<Lease>(leases, claimed(undefined, claim, this.clock.now()));
  }

  renew(name: string, namespace = 'default'): void {
    this.edit(name, namespace, (lease) => {
      if (lease.spec) lease.spec.renewTime = microTime(this.clock.now());
    });
  }

  silence(name: string, namespace = 'default'): void {
    this.#renewing.delete(`${namespace}/${name}`);
  }

  release(name: string, namespace = 'default'): void {
    this.silence(name, namespace);
    this.edit(name, namespace, (lease) => {
      if (lease.spec) lease.spec.holderIdentity = '';
    });
  }

  deleteLease(name: string, namespace = 'default'): void {
    this.silence(name, namespace);
    this.api.remove(leases, { namespace, name });
  }

  edit(name: string, namespace: string, change: (lease: Lease) => void): void {
    if (this.lease(name, namespace)) this.api.change<Lease>(leases, { namespace, name }, change);
  }

  lease(name: string, namespace = 'default'): Lease | undefined {
    return this.api.peek<Lease>(leases, { namespace, name });
  }

  /** The state as its label tells it. */
  label(name: string): string | undefined {
    return this.lease(name)?.metadata.labels?.[stateLabel];
  }

  state(name: string): string | undefined {
    return this.membership.shards(ring).find(({ shard }) => shard === name)?.state;
  }

  gone(name: string): boolean {
    return this.membership.isGivenUp(ring, name);
  }

  confirm(name: string): Promise<boolean> {
    return this.membership.confirmGivenUp(ring, name, this.stop.signal);
  }

  /** Virtual time stands still for this process, and then has jumped: no timer has fired in between. */
  freeze(ms: number): void {
    const { clock } = this;
    const real = clock.monotonic.bind(clock);
    const offset = ms;
    clock.monotonic = () => real() + offset;
  }
}
