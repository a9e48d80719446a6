import type { Patch } from '@controller-sharding/shared/kube/api-client.ts';
import { leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { Resource } from '@controller-sharding/shared/kube/types.ts';
import * as fc from 'fast-check';
import { gadgets, widgets } from '../world.ts';

/** What metadata and fields of an object a step writes. */
export interface Content {
  labels: Record<string, string>;
  finalizers: string[];
  fields: Record<string, string>;
}

/** Which version a step says: none, the one it read last, or the one it read first. */
export type Said = 'none' | 'latest' | 'first';

export type Step =
  | { do: 'create'; name: string; content: Content }
  | { do: 'update'; name: string; content: Content; said: Said }
  | { do: 'update status'; name: string; value: string; said: Said }
  | { do: 'patch'; name: string; patch: Patch }
  | { do: 'patch status'; name: string; patch: Patch }
  | { do: 'delete'; name: string; uid: Said; version: Said }
  | { do: 'get'; name: string }
  | { do: 'list'; labelSelector: string; fieldSelector: string; limit: number }
  | { do: 'next page' }
  | { do: 'watch'; labelSelector: string; fieldSelector: string; from: 'now' | 'begin' | 'initial' };

export interface Sequence {
  resource: Resource;
  steps: Step[];
}

const resources = [secrets, leases, widgets, gadgets];
const names = ['a', 'b', 'c'];
const values = ['1', '2'];
/** Right for a Secret, too. */
const fieldValues = ['MQ==', 'Mg=='];
const labelNames = ['app', 'tier'];
const finalizers = ['example.com/one', 'example.com/two'];

/** At the end of each sequence an object with these labels is made, then one without labels. */
export const lastLabels = { app: '1', tier: '1' };
/** Selectors, and whether they select objects without labels; those that don't, select the one with labels. */
const selectsBare: Record<string, boolean> = {
  '': true,
  app: false,
  '!app': true,
  'app=1': false,
  'app!=1': true,
  'app in (1,2)': false,
  'app notin (2)': true,
  'app=1,tier': false,
  'tier>0': false,
};
const labelSelectors = Object.keys(selectsBare);
const fieldSelectors = ['', '', '', 'metadata.name!=b', 'metadata.name!=a'];

/** The object that is the last one selected. */
export const lastSelected = (labelSelector: string): 'last-bare' | 'last-labelled' =>
  selectsBare[labelSelector] ? 'last-bare' : 'last-labelled';

const name = fc.constantFrom(...names);
const value = fc.constantFrom(...values);
const said = fc.constantFrom<Said>('none', 'latest', 'latest', 'first');
const fieldValue = fc.constantFrom(...fieldValues);
const map = fc.dictionary(fc.constantFrom(...labelNames), value, { noNullPrototype: true });
const fieldMap = fc.dictionary(fc.constantFrom(...labelNames), fieldValue, { noNullPrototype: true });
const content: fc.Arbitrary<Content> = fc.record({
  labels: map,
  finalizers: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, fc.subarray(finalizers)),
  fields: fieldMap,
});
const changes = (of: fc.Arbitrary<string>): fc.Arbitrary<Record<string, string | null>> =>
  fc.dictionary(fc.constantFrom(...labelNames), fc.option(of), { noNullPrototype: true });

/** Where a resource has its own fields. */
const fieldOf = (resource: Resource): string => (resource === secrets ? 'data' : 'spec');

/** The fields, under names that the resource has. */
export function fieldsOf(resource: Resource, fields: Record<string, unknown>): Record<string, unknown> {
  const renamed = Object.entries(fields).map(([key, item]) => [
    resource === leases ? 'holderIdentity' : key,
    item,
  ]);
  return { [fieldOf(resource)]: Object.fromEntries(renamed) };
}

const mergePatch = (resource: Resource): fc.Arbitrary<Patch> =>
  fc
    .record(
      {
        labels: changes(value),
        finalizers: fc.option(fc.subarray(finalizers)),
        fields: changes(fieldValue),
      },
      { requiredKeys: [] },
    )
    .map(({ labels, finalizers: finalizersNow, fields }) => ({
      type: 'merge',
      body: {
        metadata: {
          ...(labels && { labels }),
          ...(finalizersNow !== undefined && { finalizers: finalizersNow }),
        },
        ...(fields && fieldsOf(resource, fields)),
      },
    }));

const jsonPatch: fc.Arbitrary<Patch> = fc
  .array(
    fc.oneof(
      fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: labelPath(), value }),
      fc.record({ op: fc.constant('remove' as const), path: labelPath() }),
      fc.record({ op: fc.constant('add' as const), path: fc.constant('/metadata/labels'), value: map }),
      fc.record({ op: fc.constant('remove' as const), path: fc.constant('/metadata/finalizers/0') }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((operations) => ({ type: 'json', operations }));

function labelPath(): fc.Arbitrary<string> {
  return fc.constantFrom(...labelNames).map((label) => `/metadata/labels/${label}`);
}

const apply = (resource: Resource): fc.Arbitrary<Patch> =>
  fc
    .record({
      fieldManager: fc.constantFrom('one', 'two'),
      force: fc.boolean(),
      labels: map,
      applied: fieldMap,
    })
    .map(({ fieldManager, force, labels, applied }) => ({
      type: 'apply',
      fieldManager,
      force,
      // Applied empty labels of a custom object make a real server write what changes nothing, for a second.
      body: {
        metadata: { name: '', ...(Object.keys(labels).length > 0 && { labels }) },
        ...fieldsOf(resource, applied),
      },
    }));

const statusPatch = (resource: Resource): fc.Arbitrary<Patch> =>
  fc.oneof(
    changes(value).map(
      (status): Patch => ({ type: 'merge', body: { status, ...fieldsOf(resource, { app: 'OQ==' }) } }),
    ),
    value.map(
      (item): Patch => ({
        type: 'json',
        operations: [{ op: 'add', path: '/status', value: { app: item } }],
      }),
    ),
  );

const stepsOf = (resource: Resource): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), name, content }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('update' as const), name, content, said }) },
    { weight: 4, arbitrary: patchStep(mergePatch(resource)) },
    { weight: 3, arbitrary: patchStep(jsonPatch) },
    { weight: 3, arbitrary: patchStep(apply(resource)) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('update status' as const), name, value, said }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('patch status' as const), name, patch: statusPatch(resource) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('delete' as const), name, uid: said, version: said }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('get' as const), name }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('list' as const),
        labelSelector: fc.constantFrom(...labelSelectors),
        fieldSelector: fc.constantFrom(...fieldSelectors),
        limit: fc.constantFrom(0, 1, 2),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'next page' } as const) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('watch' as const),
        labelSelector: fc.constantFrom(...labelSelectors),
        fieldSelector: fc.constantFrom(...fieldSelectors),
        from: fc.constantFrom('now', 'begin', 'initial'),
      }),
    },
  );

const patchStep = (patch: fc.Arbitrary<Patch>): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant('patch' as const), name, patch });

/** A resource, and what is done to a few of its objects. */
export const sequences: fc.Arbitrary<Sequence> = fc
  .constantFrom(...resources)
  .chain((resource) =>
    fc
      .array(stepsOf(resource), { minLength: 5, maxLength: 30, size: 'max' })
      .map((steps) => ({ resource, steps })),
  );
