import assert from 'node:assert/strict';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, pinLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { assigned, type HostileRow, type HostileWorld, longest } from './hostile-world.ts';
import { labelOf } from './test-ring.ts';

const [drain, pin] = [drainLabel(ringName), pinLabel(ringName)];

/** To the API server, the other clients of the tests are the same user as the sharder, whom the webhook lets do anything. */
async function asSomebody({ ring }: HostileWorld, command: string[], object?: KubeObject): Promise<void> {
  const args = [...command, '--as=somebody', '--as-group=system:masters'];
  await ring.controlPlane.kubectl(args, { input: object && JSON.stringify(object) });
}

const shardOf = async ({ client, namespace }: HostileWorld, name: string): Promise<string | undefined> =>
  labelOf(await client.getMetadata(secrets, { namespace, name }));

/** Labels on Secrets and ConfigMaps that only the sharder, or nobody, should write. */
export const labelRows: HostileRow[] = [
  ...[
    ['that never was', 'no-such-shard'],
    ['of an empty name', ''],
    ['whose name is as long as may be', longest],
  ].map(
    ([which = '', value = ''], number): HostileRow => ({
      what: `a Secret is created with the label of a shard ${which}: it moves to a live one`,
      act: (world) => world.secret(`shard-${number}`, { [assigned]: value }),
      follows: (world) => world.settled(`shard-${number}`),
    }),
  ),
  {
    what: 'a shard label of 64 characters',
    refused: /must be no more than 63/,
    act: (world) => world.secret('shard-64', { [assigned]: `${longest}x` }),
  },
  {
    what: 'a shard label that is no name',
    refused: /valid label must be/,
    act: (world) => world.secret('shard-bad', { [assigned]: '../a b' }),
  },
  ...['', 'no-such-shard', longest].map(
    (value, number): HostileRow => ({
      what: `a Secret at rest is drained to "${value.slice(0, 13)}": it stays on a live shard`,
      act: async (world) => {
        await world.secret(`drain-${number}`);
        await world.settled(`drain-${number}`);
        await world.label(`drain-${number}`, { [drain]: value });
      },
      follows: (world) => world.settled(`drain-${number}`),
    }),
  ),
  {
    what: 'a Secret at rest is drained to another live shard by hand: it goes there with its ConfigMap',
    act: async (world) => {
      await world.secret('sent');
      const from = await world.settled('sent');
      const to = world.ring.job.fleet.replicas.find((name) => name !== from) ?? '';
      await world.label('sent', { [drain]: to });
      await world.until('the move', async () => (await world.settled('sent')) === to);
    },
  },
  {
    what: 'a Secret is created with a drain label: it gets a shard, and the drain ends',
    act: (world) => world.secret('born-draining', { [drain]: 'no-such-shard' }),
    follows: (world) => world.settled('born-draining'),
  },
  ...['', 'no-such-shard', longest].map(
    (value, number): HostileRow => ({
      what: `a Secret is pinned to "${value.slice(0, 13)}": it is placed all the same, and told so`,
      act: (world) => world.secret(`pin-${number}`, { [pin]: value }),
      follows: async (world) => {
        await world.settled(`pin-${number}`);
        await world.event(`pin-${number}`, 'PinnedShardNotReady', /can't take objects/);
      },
    }),
  ),
  {
    what: 'a controlled ConfigMap is pinned: it is told that it follows its Secret',
    act: async (world) => {
      await world.secret('pinned-child');
      await world.settled('pinned-child');
      const body = { metadata: { labels: { [pin]: 'checksum-1' } } };
      const child = world.ref('checksums-pinned-child');
      await world.client.patchMetadata(configMaps, child, { type: 'merge', body });
    },
    follows: (world) => world.event('checksums-pinned-child', 'PinIgnored', /follows its controller/),
  },
  {
    what: 'a shard label is changed to another live shard by hand: the ConfigMap follows',
    act: async (world) => {
      const shard = await world.secret('by-hand');
      await world.settled('by-hand');
      const other = world.ring.job.fleet.replicas.find((name) => name !== shard) ?? '';
      await world.label('by-hand', { [assigned]: other });
    },
    follows: (world) => world.settled('by-hand'),
  },
  {
    what: 'labels of a ring that there isn’t: they stay as they are',
    act: (world) =>
      world.secret('other-ring', { [shardLabel('no-ring')]: 'a', [drainLabel('no-ring')]: 'b' }),
    follows: async (world) => {
      await world.settled('other-ring');
      const { metadata } = await world.client.getMetadata(secrets, world.ref('other-ring'));
      assert.equal(metadata.labels?.[drainLabel('no-ring')], 'b');
    },
  },
  {
    what: 'labels named as JavaScript’s own: they are labels like others',
    act: (world) => world.secret('names', { constructor: 'a', hasOwnProperty: 'b', toString: 'c' }),
    follows: async (world) => {
      await world.settled('names');
      const { metadata } = await world.client.getMetadata(configMaps, world.ref('checksums-names'));
      assert.equal(metadata.labels?.['constructor'], 'a');
    },
  },
  {
    what: 'a thousand labels: one more is added',
    act: (world) =>
      world.secret(
        'many',
        Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`label-${i}`, longest])),
      ),
    follows: (world) => world.settled('many'),
  },
  {
    what: 'a name that the API server makes: it gets its label a moment later',
    act: async (world) => {
      const secret = secretNamed(world.namespace, '');
      const metadata = { ...secret.metadata, generateName: 'generated-' };
      const { metadata: created } = await world.client.create(secrets, { ...secret, metadata });
      await world.until('its label', async () => labelOf(await world.client.getMetadata(secrets, created)));
    },
  },
];

/** What the webhook puts right at once, unless the object is on the move. */
export const unlabellingRows: HostileRow[] = [
  {
    what: 'a shard label is removed: it is there again at once',
    act: async (world) => {
      const shard = await world.secret('removed');
      await asSomebody(world, [
        'label',
        'secret',
        'removed',
        `--namespace=${world.namespace}`,
        `${assigned}-`,
      ]);
      assert.equal(await shardOf(world, 'removed'), shard);
    },
  },
  {
    what: 'a Secret is replaced by one without labels: it keeps its shard',
    act: async (world) => {
      const shard = await world.secret('replaced');
      await asSomebody(world, ['replace', '-f', '-'], secretNamed(world.namespace, 'replaced'));
      assert.equal(await shardOf(world, 'replaced'), shard);
    },
  },
];
