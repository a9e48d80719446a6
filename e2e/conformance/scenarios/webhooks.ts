import assert from 'node:assert/strict';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { Thing } from '../recording-client.ts';
import { type Scenario, type Stage, thing } from '../stage.ts';
import { type Operation, type Review, type Verdict, widgets } from '../world.ts';

const labelled = (value: string): Verdict => ({
  patch: [{ op: 'add', path: '/metadata/labels', value: { hook: value } }],
});

/**
 * Registers a webhook for ConfigMaps and widgets that answers so. The result writes down what it was asked last since
 * the last time, if anything: a real API server may ask before that with an old object that it then finds to be old.
 */
async function hook(
  { world, namespace, note }: Stage,
  operations: Operation[],
  answer: (review: Review) => Verdict,
  label?: string,
): Promise<() => void> {
  let asked: unknown;
  await world.webhook({
    namespace,
    operations,
    resources: [configMaps, widgets],
    ...(label !== undefined && { label }),
    answer: (review) => {
      const { operation, name, object, oldObject } = review;
      asked = [operation, name, gist(object), gist(oldObject)];
      return answer(review);
    },
  });
  return () => {
    note('asked', asked);
    asked = undefined;
  };
}

const gist = (object: Thing | undefined): unknown =>
  object && {
    name: object.metadata.name,
    labels: object.metadata.labels,
    data: object.data,
    deleting: object.metadata.deletionTimestamp !== undefined,
    has: ['uid', 'resourceVersion'].filter((field) => field in object.metadata),
  };

/** Mutating webhooks. */
export const webhooks: Scenario[] = [
  {
    name: 'what is created is changed by the webhook',
    async play(stage) {
      const { api } = stage;
      const asked = await hook(stage, ['CREATE'], () => labelled('made'));
      for (const resource of [configMaps, widgets]) {
        const made = await api.create(resource, thing('a', {}, { x: '1' }));
        asked();
        assert.deepEqual(made.metadata.labels, { hook: 'made' });
        await api.patch(resource, 'a', { type: 'merge', body: { metadata: { labels: { hook: null } } } });
        asked();
      }
      await api.create(secrets, thing('a'));
      asked();
      await api.create(configMaps, thing('', { generateName: 'generated-' }));
      asked();
      await api.patch(configMaps, 'applied', { type: 'apply', body: thing('applied'), fieldManager: 'one' });
      asked();
    },
  },
  {
    name: 'what is updated is changed by the webhook',
    async play(stage) {
      const { api } = stage;
      const asked = await hook(stage, ['UPDATE'], () => labelled('updated'));
      const made = await api.create(configMaps, thing('a', {}, { x: '1' }));
      asked();
      await api.update(configMaps, { ...made, data: { x: '2' } });
      asked();
      await api.patch(configMaps, 'a', { type: 'merge', body: { data: { x: '3' } } });
      asked();
      const again = await api.patch(configMaps, 'a', { type: 'merge', body: { data: { x: '3' } } });
      asked();
      assert.deepEqual(again.metadata.labels, { hook: 'updated' });
      await api.delete(configMaps, 'a');
      asked();
    },
  },
  {
    name: 'a webhook refuses',
    async play(stage) {
      const { api, refused } = stage;
      const asked = await hook(
        stage,
        ['CREATE', 'UPDATE', 'DELETE'],
        ({ name, operation, object, oldObject }) => {
          const labels = (object ?? oldObject)?.metadata.labels;
          return labels?.['forbidden'] === operation ? { denied: `not ${name}` } : { patch: [] };
        },
      );
      for (const operation of ['CREATE', 'UPDATE', 'DELETE']) {
        const object = thing(operation.toLowerCase(), { labels: { forbidden: operation } });
        if (operation === 'CREATE') await refused('403 Forbidden', api.create(configMaps, object));
        else await api.create(configMaps, object);
        asked();
      }
      const body = { data: { x: '1' } };
      await refused('403 Forbidden', api.patch(configMaps, 'update', { type: 'merge', body }));
      asked();
      await refused('403 Forbidden', api.delete(configMaps, 'delete'));
      asked();
      await api.get(configMaps, 'delete');
      asked();
    },
  },
  {
    name: 'the patch of a webhook is checked',
    async play(stage) {
      const { api, refused } = stage;
      await hook(stage, ['CREATE'], ({ name }) =>
        name === 'invalid'
          ? labelled('a b')
          : { patch: [{ op: 'test', path: '/metadata/name', value: 'other' }] },
      );
      await refused('422 Invalid', api.create(configMaps, thing('invalid')));
      await refused('500 InternalError', api.create(configMaps, thing('failing')));
    },
  },
  {
    name: 'a webhook for objects with a label',
    async play(stage) {
      const { api } = stage;
      const operations: Operation[] = ['CREATE', 'UPDATE'];
      const add: Verdict = { patch: [{ op: 'add', path: '/metadata/annotations', value: { hook: 'x' } }] };
      const asked = await hook(stage, operations, () => add, 'hooked');
      await api.create(configMaps, thing('with', { labels: { hooked: '' } }));
      asked();
      await api.create(configMaps, thing('without'));
      asked();
      const labels = (hooked: string | null) =>
        ({ type: 'merge', body: { metadata: { labels: { hooked } } } }) as const;
      await api.patch(configMaps, 'without', labels(''));
      asked();
      const { resourceVersion } = (await api.patch(configMaps, 'without', labels(null))).metadata;
      asked();
      // A patch starts from the API server's cache, where the object could still have its label.
      await stage.watch(configMaps, { resourceVersion, sendInitialEvents: true }).listed();
      await api.patch(configMaps, 'without', { type: 'merge', body: { data: { x: '1' } } });
      asked();
    },
  },
  {
    name: 'finalizers: what a webhook is asked when an object goes',
    async play(stage) {
      const { api } = stage;
      const asked = await hook(stage, ['UPDATE', 'DELETE'], () => ({ patch: [] }));
      await api.create(configMaps, thing('a', { finalizers: ['example.com/hold'] }));
      asked();
      await api.delete(configMaps, 'a');
      asked();
      await api.patch(configMaps, 'a', { type: 'merge', body: { metadata: { finalizers: null } } });
      asked();
    },
  },
];
