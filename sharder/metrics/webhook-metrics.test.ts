import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { webhookMetrics } from './webhook-metrics.ts';

const answers = 'controller_sharding_webhook_requests_total';

test('only rings there are get series of their own, and lose them when they go', async () => {
  const registry = new Registry();
  const rings = new Set(['a']);
  const metrics = webhookMetrics(registry, (ring) => rings.has(ring));
  metrics.answered('a', 'placed', 3);
  for (let i = 0; i < 1_000; i += 1) metrics.answered(`x${i}`, 'unknown-ring', 1);
  metrics.answered('', 'unreadable', 1);
  const text = await registry.metrics();
  assert.match(text, new RegExp(`^${answers}{controllerring="a",outcome="placed"} 1$`, 'm'));
  assert.match(text, new RegExp(`^${answers}{controllerring="unknown",outcome="unknown-ring"} 1000$`, 'm'));
  assert.match(text, /duration_seconds_count{controllerring="unknown"} 1001$/m);
  assert.equal(text.match(/requests_total{/g)?.length, 3);
  rings.delete('a');
  metrics.forget('a');
  assert.doesNotMatch(await registry.metrics(), /controllerring="a"/);
});

test('the end of the certificate is told in seconds', async () => {
  const registry = new Registry();
  webhookMetrics(registry, () => true).certificateExpires(new Date(5_000));
  assert.match(await registry.metrics(), /certificate_expiry_timestamp_seconds 5$/m);
});
