import assert from 'node:assert/strict';
import type { Patch } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import {
  controllerRings,
  mutatingWebhookConfigurations,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { ringName } from '../main-job/cluster/objects.ts';
import { type HostileRow, type HostileWorld, longest } from './hostile-world.ts';
import { assertTold, run } from './programs.ts';

const ofSecrets = { resources: [{ group: '', resource: 'secrets' }] };
const configuration = `controllerring-${ringName}`;

interface Configuration extends KubeObject {
  webhooks?: Array<{ failurePolicy?: string; rules?: unknown[] }>;
}

const webhookOf = async ({ client }: HostileWorld, ring: string): Promise<Configuration | undefined> => {
  try {
    return await client.get<Configuration>(mutatingWebhookConfigurations, { name: `controllerring-${ring}` });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return undefined;
  }
};

const change = ({ client }: HostileWorld, name: string, body: unknown): Promise<unknown> =>
  client.patch(controllerRings, { name }, { type: 'merge', body });

/** Rings that make no sense, and what is done to the one that does. */
export const ringRows: HostileRow[] = [
  {
    what: 'a ring of resources that there aren’t: it names them',
    act: (world) =>
      world.controllerRing('unknown', { resources: [{ group: 'example.com', resource: 'gizmos' }] }),
    follows: (world) => world.ready('unknown', /^False .*gizmos\.example\.com/),
  },
  {
    what: 'a ring of a resource that can’t be one: it says what is wrong',
    act: (world) => world.controllerRing('senseless', { resources: [{ resource: '../secrets?a=b#c' }] }),
    follows: (world) => world.ready('senseless', /^False /),
  },
  {
    what: 'a ring of something that is no resource of its own',
    act: (world) => world.controllerRing('part', { resources: [{ resource: 'pods/status' }] }),
    follows: (world) => world.ready('part', /^False /),
  },
  {
    what: 'a ring of one resource twice',
    refused: /Duplicate value/,
    act: (world) =>
      world.controllerRing('twice', { resources: [...ofSecrets.resources, ...ofSecrets.resources] }),
  },
  {
    what: 'a ring of a nameless resource',
    refused: /should be at least 1 char/,
    act: (world) => world.controllerRing('nameless', { resources: [{ resource: '' }] }),
  },
  ...[{}, { resources: [] }].map(
    (spec, number): HostileRow => ({
      what: `a ring whose spec is ${JSON.stringify(spec)}: it waits for shards`,
      act: (world) => world.controllerRing(`bare-${number}`, spec),
      follows: (world) => world.ready(`bare-${number}`, /^False NoShard/),
    }),
  ),
  ...[
    { key: 'a', operator: 'In', values: [] },
    { key: 'a', operator: 'Exists', values: ['b'] },
    { key: '-/-/-', operator: 'Exists' },
  ].map(
    (expression, number): HostileRow => ({
      what: `a ring that selects namespaces by ${JSON.stringify(expression)}: it says what is wrong`,
      act: (world) =>
        world.controllerRing(`selector-${number}`, {
          ...ofSecrets,
          namespaceSelector: { matchExpressions: [expression] },
        }),
      follows: (world) => world.ready(`selector-${number}`, /^False Failed: .*namespaceSelector/),
    }),
  ),
  {
    what: 'a ring with a name of 63 characters: it has its webhook',
    act: (world) => world.controllerRing(longest),
    follows: async (world) => {
      await world.ready(longest, /^False NoShard/);
      await world.until('its webhook', () => webhookOf(world, longest));
    },
  },
  {
    what: 'a ring with a name of 64 characters',
    refused: /at most 63 characters/,
    act: (world) => world.controllerRing(`${longest}x`),
  },
  {
    what: 'a second ring of the Secrets, with a shard that never works: they have a shard of each',
    act: async (world) => {
      await world.controllerRing('second', ofSecrets);
      const annotations = { 'alpha.sharding.timebertt.dev/cordoned': 'false' };
      await world.lease('second-1', { ring: 'second', annotations, spec: { leaseDurationSeconds: 3_600 } });
      await world.ready('second', /^True /);
      await world.secret('of-two');
    },
    follows: async (world) => {
      await world.settled('of-two');
      const labels = async () =>
        (await world.client.getMetadata(secrets, world.ref('of-two'))).metadata.labels;
      await world.until(
        'its other shard',
        async () => (await labels())?.[shardLabel('second')] === 'second-1',
      );
    },
  },
  {
    what: 'a ring is deleted and made again: it goes on, and so does its webhook',
    act: async (world) => {
      await world.controllerRing('again');
      await world.until('its webhook', () => webhookOf(world, 'again'));
      await world.client.delete(controllerRings, { name: 'again' });
      await world.controllerRing('again');
      const { metadata } = await world.client.get<ControllerRing>(controllerRings, { name: 'again' });
      const isIts = (found: Configuration | undefined): boolean =>
        found?.metadata.ownerReferences?.[0]?.uid === metadata.uid;
      await world.until('the new webhook', async () => isIts(await webhookOf(world, 'again')));
    },
    follows: (world) => world.ready('again', /^False NoShard/),
  },
  {
    what: 'a ring that is held by a finalizer while it is deleted: its webhook goes at once',
    act: async (world) => {
      await world.controllerRing('held');
      await world.until('its webhook', () => webhookOf(world, 'held'));
      await change(world, 'held', { metadata: { finalizers: ['example.com/hold'] } });
      await world.client.delete(controllerRings, { name: 'held' });
    },
    follows: async (world) => {
      await world.until('the end of its webhook', async () => (await webhookOf(world, 'held')) === undefined);
      await change(world, 'held', { metadata: { finalizers: null } });
    },
  },
  {
    what: 'a ring’s status is made up: it is corrected',
    act: (world) =>
      world.client.patchStatus(
        controllerRings,
        { name: ringName },
        { type: 'merge', body: { status: { shards: 99 } } },
      ),
    follows: (world) =>
      world.until('the shards that there are', async () => {
        const { status } = await world.client.get<ControllerRing>(controllerRings, { name: ringName });
        return status?.shards !== 99;
      }),
  },
  ...[['garbage'], ['[]'], ['{"'], [JSON.stringify([{ group: 1, resource: {} }])]].map(
    ([value = ''], number): HostileRow => ({
      what: `a ring’s record of its resources is ${value}: it is written anew`,
      act: (world) => {
        const annotations = { 'alpha.sharding.timebertt.dev/resources': value };
        const name = `record-${number}`;
        const spec = { resources: [{ resource: 'pods' }] };
        return world.client.create<KubeObject & { spec: object }>(controllerRings, {
          metadata: { name, annotations },
          spec,
        });
      },
      follows: (world) => world.ready(`record-${number}`, /^False NoShard/),
    }),
  ),
];

/** What is done to the webhook. */
export const webhookRows: HostileRow[] = [
  {
    what: 'a sharder whose webhook is to have a port that is in use: it says so, and ends',
    act: async ({ ring: { controlPlane } }) => {
      const busy = new URL(controlPlane.url).host;
      const ended = await run(
        'sharder/cli/main.ts',
        'run',
        `--kubeconfig=${controlPlane.kubeconfigPath}`,
        '--health-address=0',
        '--metrics-address=0',
        `--webhook-address=${busy}`,
        `--webhook-url=https://${busy}`,
      );
      assertTold(ended, 1, new RegExp(`^sharder: cannot listen on ${busy}: address already in use`));
    },
  },
  {
    what: 'the webhook is made to reject what it can’t answer: it is put right',
    act: (world) => {
      const patch: Patch = {
        type: 'json',
        operations: [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' }],
      };
      return world.client.patch(mutatingWebhookConfigurations, { name: configuration }, patch);
    },
    follows: (world) =>
      world.until(
        'Ignore',
        async () => (await webhookOf(world, ringName))?.webhooks?.[0]?.failurePolicy === 'Ignore',
      ),
  },
  {
    what: 'the webhook is deleted: it is back',
    act: async (world) => {
      const { uid } = (await webhookOf(world, ringName))?.metadata ?? {};
      assert.ok(uid);
      await world.client.delete(mutatingWebhookConfigurations, { name: configuration });
      await world.until('another', async () => {
        const found = await webhookOf(world, ringName);
        return found !== undefined && found.metadata.uid !== uid;
      });
    },
  },
];
