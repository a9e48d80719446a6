import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { restClientMetrics } from './rest-client.ts';

/** Lines like `name{labels} value`, without the histograms' buckets. */
const samples = async (registry: Registry): Promise<string[]> =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('rest_client') && !line.includes('_bucket'));

test('a request is counted and timed once it has ended; without an answer its code is <error>, as in client-go', async () => {
  const registry = new Registry();
  const metrics = restClientMetrics(registry);
  metrics.onRequest('GET', 200, 10);
  metrics.onRequest('PATCH', 'error', 10_000);
  assert.deepEqual(await samples(registry), [
    'rest_client_requests_total{method="GET",code="200"} 1',
    'rest_client_requests_total{method="PATCH",code="<error>"} 1',
    'rest_client_request_duration_seconds_sum{verb="GET"} 0.01',
    'rest_client_request_duration_seconds_count{verb="GET"} 1',
    'rest_client_request_duration_seconds_sum{verb="PATCH"} 10',
    'rest_client_request_duration_seconds_count{verb="PATCH"} 1',
  ]);
});

test('a request that is sent again counts for each answer, and is a retry', async () => {
  const registry = new Registry();
  const metrics = restClientMetrics(registry);
  metrics.onRetry('POST', 429);
  metrics.onRetry('POST', 429);
  metrics.onRequest('POST', 201, 2_000);
  assert.deepEqual(await samples(registry), [
    'rest_client_requests_total{method="POST",code="429"} 2',
    'rest_client_requests_total{method="POST",code="201"} 1',
    'rest_client_request_retries_total{verb="POST",code="429"} 2',
    'rest_client_request_duration_seconds_sum{verb="POST"} 2',
    'rest_client_request_duration_seconds_count{verb="POST"} 1',
  ]);
});

test('the time that requests waited for the rate limit is told', async () => {
  const registry = new Registry();
  restClientMetrics(registry).onThrottled('GET', 250);
  assert.deepEqual(await samples(registry), [
    'rest_client_rate_limiter_duration_seconds_sum{verb="GET"} 0.25',
    'rest_client_rate_limiter_duration_seconds_count{verb="GET"} 1',
  ]);
});
