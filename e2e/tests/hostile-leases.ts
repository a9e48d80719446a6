import assert from 'node:assert/strict';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { ringLabel, stateLabel, weightAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import { ringName } from '../main-job/cluster/objects.ts';
import { type HostileRow, type HostileWorld, longest } from './hostile-world.ts';

const crowd = 1_000;

/** Twenty at a time. */
async function inTurns(count: number, act: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const turns = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: 20 }, turns));
}

const annotate = (world: HostileWorld, name: string, annotations: Record<string, string | null>) =>
  world.client.patchMetadata(leases, world.ref(name), { type: 'merge', body: { metadata: { annotations } } });

/** Leases that are no shards, or strange ones. */
export const leaseRows: HostileRow[] = [
  {
    what: 'a Lease whose name can’t be a label: told by an Event',
    act: (world) => world.lease(`${longest}x`),
    follows: (world) => world.event(`${longest}x`, 'InvalidShard', /64 characters/),
  },
  {
    what: 'a Lease whose ring label is empty: told by an Event',
    act: (world) => world.lease('of-nothing', { ring: '' }),
    follows: (world) => world.event('of-nothing', 'InvalidShard', /ring label is empty/),
  },
  {
    what: 'a Lease of a ring that there isn’t: its state, and an Event',
    act: (world) => world.lease('of-no-ring', { ring: 'no-such-ring', spec: { holderIdentity: '' } }),
    follows: async (world) => {
      await world.state('of-no-ring', 'dead');
      await world.event('of-no-ring', 'UnknownRing', /no ControllerRing "no-such-ring"/);
    },
  },
  {
    what: 'a Lease that somebody else holds: expired, and an Event',
    act: (world) =>
      world.lease('held', { spec: { holderIdentity: 'somebody', leaseDurationSeconds: 3_600 } }),
    follows: async (world) => {
      await world.state('held', 'expired');
      await world.event('held', 'ForeignHolder', /held by "somebody"/);
    },
  },
  {
    what: 'a Lease that nobody holds: dead',
    act: (world) => world.lease('nobodys', { spec: { holderIdentity: '' } }),
    follows: (world) => world.state('nobodys', 'dead'),
  },
  {
    what: 'a Lease that nobody renews: taken over',
    act: (world) => world.lease('silent', { spec: { renewTime: '9999-12-31T23:59:59.999999Z' } }),
    follows: async (world) => {
      await world.state('silent', 'dead');
      assert.equal((await world.leaseOf('silent')).spec?.holderIdentity, 'shardlease-controller');
    },
  },
  {
    what: 'a Lease from before there were computers: taken over, too',
    act: (world) => world.lease('old', { spec: { renewTime: '0001-01-01T00:00:00.000000Z' } }),
    follows: (world) => world.state('old', 'dead'),
  },
  {
    what: 'a Lease for 68 years that gets nothing new: ready, and empty',
    act: (world) => world.lease('patient', { spec: { leaseDurationSeconds: 2_147_483_647 } }),
    follows: (world) => world.state('patient', 'ready'),
  },
  {
    what: 'a Lease that takes objects for three seconds: they come back',
    act: (world) =>
      world.lease('greedy', { annotations: { 'alpha.sharding.timebertt.dev/cordoned': 'false' } }),
    follows: async (world) => {
      await world.state('greedy', 'dead', 'orphaned');
      await world.secret('after-greedy');
      await world.settled('after-greedy');
    },
  },
  ...[0, -15, 2_147_483_648].map(
    (leaseDurationSeconds): HostileRow => ({
      what: `a Lease for ${leaseDurationSeconds} s`,
      refused: /must be greater than 0|cannot unmarshal|overflow/,
      act: (world) => world.lease('short', { spec: { leaseDurationSeconds } }),
    }),
  ),
  ...['yesterday', '2026-01-02T03:04:05.123Z'].map(
    (renewTime): HostileRow => ({
      what: `a Lease renewed ${renewTime}`,
      refused: /parsing time|cannot parse/,
      act: (world) => world.lease('timeless', { spec: { renewTime } }),
    }),
  ),
  {
    what: 'a Lease without a spec: dead',
    act: (world) =>
      world.client.create(leases, { metadata: { ...world.ref('empty'), labels: { [ringLabel]: ringName } } }),
    follows: (world) => world.state('empty', 'dead'),
  },
  {
    what: 'two Leases of one name: neither is a shard, and both are told',
    act: async (world) => {
      for (const namespace of [world.namespace, 'default']) {
        await world.lease('twin', { namespace, spec: { leaseDurationSeconds: 3_600 } });
      }
    },
    follows: async (world) => {
      for (const namespace of [world.namespace, 'default']) {
        await world.event('twin', 'DuplicateShard', /default\/twin, .*main-job\/twin/, namespace);
      }
    },
  },
  ...['lots', '-1', 'Infinity', '1e3', '', 'x'.repeat(10_000)].map(
    (weight, number): HostileRow => ({
      what: `a weight of "${weight.slice(0, 10)}": told by an Event, and 1 counts`,
      act: (world) => world.lease(`weight-${number}`, { annotations: { [weightAnnotation]: weight } }),
      follows: (world) =>
        world.event(`weight-${number}`, 'InvalidAnnotation', /must be a number .* 1 is used/),
    }),
  ),
  {
    what: 'a live replica’s annotations are garbage: it goes on, and is told',
    act: async (world) => {
      const [name = ''] = world.ring.job.fleet.replicas;
      const cordoned = 'alpha.sharding.timebertt.dev/cordoned';
      await annotate(world, name, { [cordoned]: 'perhaps' });
      await world.event(name, 'InvalidAnnotation', /must be "true" or "false"/);
      await annotate(world, name, { [cordoned]: null });
    },
  },
  {
    what: 'a live replica’s state label is changed: it is written again',
    act: (world) => {
      const [name = ''] = world.ring.job.fleet.replicas;
      const body = { metadata: { labels: { [stateLabel]: 'dead' } } };
      return world.client.patchMetadata(leases, world.ref(name), { type: 'merge', body });
    },
    follows: (world) => world.state(world.ring.job.fleet.replicas[0] ?? '', 'ready'),
  },
  {
    what: 'a live replica’s Lease is deleted: it is put back',
    act: (world) => world.client.delete(leases, world.ref(world.ring.job.fleet.replicas[1] ?? '')),
    follows: (world) =>
      world.until('its Lease', () =>
        world.leaseOf(world.ring.job.fleet.replicas[1] ?? '').catch(() => undefined),
      ),
  },
];

export const crowdRows: HostileRow[] = [
  {
    what: `${crowd} Leases of shards that are gone: each is told dead`,
    act: (world) =>
      inTurns(crowd, (number) => world.lease(`crowd-${number}`, { spec: { holderIdentity: '' } })),
    follows: (world) => inTurns(crowd, (number) => world.state(`crowd-${number}`, 'dead', 'orphaned')),
  },
];
