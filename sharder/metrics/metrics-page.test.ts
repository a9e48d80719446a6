import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { leaderElectionMetrics } from '@controller-sharding/shared/metrics/leader-election.ts';
import { createRegistry } from '@controller-sharding/shared/metrics/registry.ts';
import { restClientMetrics } from '@controller-sharding/shared/metrics/rest-client.ts';
import { shardMetrics } from '@controller-sharding/shared/metrics/shard.ts';
import { workqueueMetrics } from '@controller-sharding/shared/metrics/workqueue.ts';
import type { Registry } from 'prom-client';
import { admissionOutcomes } from '../webhook/admission.ts';
import {
  type DocumentedMetric,
  documentedMetrics,
  documentedOutcomes,
  isDefault,
} from './metrics-page-fixture.ts';
import { sharderMetrics } from './sharder-metrics.ts';
import { webhookMetrics } from './webhook-metrics.ts';

/** What prom-client doesn't declare of its metrics. */
const labelsOf = (registry: Registry, name: string): string[] => {
  const labels: unknown = Reflect.get(registry.getSingleMetric(name) ?? {}, 'labelNames');
  return Array.isArray(labels) ? labels.map(String) : [];
};

async function exposed(): Promise<DocumentedMetric[]> {
  const registry = createRegistry();
  controllerMetrics(registry);
  workqueueMetrics(registry);
  restClientMetrics(registry);
  leaderElectionMetrics(registry);
  shardMetrics(registry);
  sharderMetrics(registry, () => []);
  webhookMetrics(registry, () => true);
  const types = [...(await registry.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return types.flatMap(([, name = '', type = '']) =>
    isDefault(name) ? [] : [{ name, type, labels: labelsOf(registry, name) }],
  );
}

const lines = (metrics: readonly DocumentedMetric[]): string[] =>
  metrics.map(({ name, type, labels }) => `${name} ${type} ${labels.join()}`).toSorted();

test('docs/metrics.md has every metric with its type and labels, and no other', async () => {
  assert.deepEqual(lines(documentedMetrics()), lines(await exposed()));
});

test('it has every outcome of the webhook, and no other', () => {
  assert.deepEqual(documentedOutcomes().toSorted(), [...admissionOutcomes].toSorted());
});

test('no metric has a label of which there may be one value per object', async () => {
  const few = new Set(
    'controllerring group resource namespace shard state from outcome controller name result code method verb'.split(
      ' ',
    ),
  );
  for (const { name, labels } of await exposed()) {
    for (const label of labels) assert.ok(few.has(label), `${name} ${label}`);
  }
});
