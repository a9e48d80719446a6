import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import {
  ApiError,
  isFailedTest,
  isFateUnknown,
  isInvalid,
  messageOf,
} from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, mutatingWebhookConfigurations } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { compare } from './generated/compare.ts';
import { readTranscripts } from './golden.ts';
import { MemoryWorld } from './memory-world.ts';
import { RealWorld } from './real-world.ts';
import { Stage } from './stage.ts';
import { suite } from './suite.ts';

/** Sequences are played in so many lines side by side, each with its own seed. */
const lines = 3;
const runsPerLine = 60;

let world: RealWorld;
let failed = false;
before(async () => {
  world = await RealWorld.start();
});
after(() => world.stop({ failed }));

describe('a real API server answers as recorded', { concurrency: 6 }, async () => {
  for (const [theme, scenarios] of Object.entries(suite)) {
    const transcripts = await readTranscripts(theme);
    for (const scenario of scenarios) {
      test(`${theme}: ${scenario.name}`, { timeout: 60_000 }, async () => {
        try {
          assert.deepEqual(await Stage.play(world, scenario), transcripts.get(scenario.name));
        } catch (error) {
          failed = true;
          throw error;
        }
      });
    }
  }
});

test('both API servers answer alike to whatever is done', { timeout: 180_000 }, async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.trunc(Math.random() * 2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const seeds = Array.from({ length: lines }, (_, line) => seed + line);
  const worlds = (): [MemoryWorld, RealWorld] => [new MemoryWorld(), world];
  await Promise.all(seeds.map((own) => compare({ worlds, runs: runsPerLine, seed: own })));
});

test('errors that are told apart by their words have these words', { timeout: 60_000 }, async () => {
  const { client } = world;
  const namespace = await world.namespace();
  const ref = { namespace, name: 'one' };
  await client.create(configMaps, { metadata: { ...ref, labels: { a: 'b' } } });
  const patched = async (operations: JsonPatchOperation[]): Promise<unknown> =>
    client.patchMetadata(configMaps, ref, { type: 'json', operations }).catch((error: unknown) => error);
  for (const [path, value] of [
    ['/metadata/labels/a', 'c'],
    ['/metadata/labels/missing', 'c'],
    ['/metadata/annotations/missing', 'c'],
    ['/metadata/uid', 'another'],
    ['/metadata/resourceVersion', '1'],
  ] as const) {
    assert.ok(isFailedTest(await patched([{ op: 'test', path, value }])), path);
  }
  const invalid = await patched([{ op: 'replace', path: '/metadata/labels/a', value: 'not a label' }]);
  assert.ok(isInvalid(invalid) && !isFailedTest(invalid), messageOf(invalid));

  await client.create<KubeObject & { webhooks: object[] }>(mutatingWebhookConfigurations, {
    metadata: { name: 'away' },
    webhooks: [
      {
        name: 'away.example.com',
        clientConfig: { url: 'https://127.0.0.1:1/' },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['configmaps'] }],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  let refused: unknown;
  await world.until('the webhook to be called', async () => {
    refused = await patched([{ op: 'replace', path: '/metadata/labels/a', value: `at-${Date.now()}` }]);
    return refused instanceof ApiError;
  });
  assert.ok(refused instanceof ApiError && refused.status === 500, messageOf(refused));
  assert.equal(isFateUnknown(refused), false, messageOf(refused));
});
