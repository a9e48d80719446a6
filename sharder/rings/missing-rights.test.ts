import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MissingRight, rulesFor, type Verb } from './missing-rights.ts';

const right = (group: string, resource: string, verb: Verb): MissingRight => ({ group, resource, verb });

for (const [what, missing, expected] of [
  ['nothing is missing', [], ''],
  [
    'the core group is quoted',
    [right('', 'secrets', 'watch')],
    '{apiGroups: [""], resources: [secrets], verbs: [watch]}',
  ],
  [
    'resources that lack the same are in one rule, by group',
    [right('', 'secrets', 'watch'), right('apps', 'deployments', 'watch'), right('', 'configmaps', 'watch')],
    '{apiGroups: [""], resources: [configmaps, secrets], verbs: [watch]}, {apiGroups: [apps], resources: [deployments], verbs: [watch]}',
  ],
  [
    'whoever may not list hasn’t tried to patch',
    [right('', 'secrets', 'list')],
    '{apiGroups: [""], resources: [secrets], verbs: [list, patch]}',
  ],
  [
    'verbs are in one order',
    [right('', 'secrets', 'watch'), right('', 'secrets', 'get')],
    '{apiGroups: [""], resources: [secrets], verbs: [get, watch]}',
  ],
] as const) {
  test(`rules to add: ${what}`, () => assert.equal(rulesFor(missing), expected));
}
