import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { FakeClock } from '../testing/fake-clock.ts';
import { controllerMetrics } from './controller.ts';
import { createRegistry } from './registry.ts';
import { restClientMetrics } from './rest-client.ts';
import { workqueueMetrics } from './workqueue.ts';

/** The samples of a registry, without the histograms' buckets. */
async function samples(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket'))
      .map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

test('every process tells of its CPU, memory and event loop', async () => {
  const text = await createRegistry().metrics();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    assert.match(text, new RegExp(`^${name} `, 'm'));
  }
});

test('the series of a controller exist before it did anything', async () => {
  const registry = new Registry();
  controllerMetrics(registry).observe('ring', new FakeClock());
  const values = await samples(registry);
  assert.deepEqual(Object.keys(values).toSorted(), [
    'controller_runtime_active_workers{controller="ring"}',
    'controller_runtime_reconcile_errors_total{controller="ring"}',
    'controller_runtime_reconcile_time_seconds_count{controller="ring"}',
    'controller_runtime_reconcile_time_seconds_sum{controller="ring"}',
    'controller_runtime_reconcile_total{controller="ring",result="error"}',
    'controller_runtime_reconcile_total{controller="ring",result="requeue_after"}',
    'controller_runtime_reconcile_total{controller="ring",result="success"}',
    'workqueue_adds_total{name="ring"}',
    'workqueue_depth{name="ring"}',
    'workqueue_longest_running_processor_seconds{name="ring"}',
    'workqueue_queue_duration_seconds_count{name="ring"}',
    'workqueue_queue_duration_seconds_sum{name="ring"}',
    'workqueue_retries_total{name="ring"}',
    'workqueue_unfinished_work_seconds{name="ring"}',
    'workqueue_work_duration_seconds_count{name="ring"}',
    'workqueue_work_duration_seconds_sum{name="ring"}',
  ]);
  assert.ok(Object.values(values).every((value) => value === 0));
});

test('reconciles are counted by result and timed', async () => {
  const registry = new Registry();
  const observer = controllerMetrics(registry).observe('ring', new FakeClock());
  observer.activeWorkers(2);
  observer.reconciled('done', 100);
  observer.reconciled('later', 100);
  observer.reconciled('failed', 300);
  const values = await samples(registry);
  assert.equal(values['controller_runtime_active_workers{controller="ring"}'], 2);
  for (const result of ['success', 'requeue_after', 'error']) {
    assert.equal(
      values[`controller_runtime_reconcile_total{controller="ring",result="${result}"}`],
      1,
      result,
    );
  }
  assert.equal(values['controller_runtime_reconcile_errors_total{controller="ring"}'], 1);
  assert.equal(values['controller_runtime_reconcile_time_seconds_sum{controller="ring"}'], 0.5);
});

test('a queue tells how long keys wait, how long they are worked on, and which one takes too long', async () => {
  const registry = new Registry();
  const clock = new FakeClock();
  const observer = workqueueMetrics(registry).observe('ring', clock);
  observer.added('a');
  observer.added('b');
  await clock.advance(1000);
  observer.taken('a');
  await clock.advance(2000);
  observer.taken('b');
  observer.retried('a');
  await clock.advance(500);
  const during = await samples(registry);
  assert.equal(during['workqueue_unfinished_work_seconds{name="ring"}'], 3);
  assert.equal(during['workqueue_longest_running_processor_seconds{name="ring"}'], 2.5);
  observer.done('a');
  observer.done('b');
  observer.added('c');
  const after = await samples(registry);
  assert.equal(after['workqueue_depth{name="ring"}'], 1);
  assert.equal(after['workqueue_adds_total{name="ring"}'], 3);
  assert.equal(after['workqueue_retries_total{name="ring"}'], 1);
  assert.equal(after['workqueue_queue_duration_seconds_sum{name="ring"}'], 4);
  assert.equal(after['workqueue_work_duration_seconds_sum{name="ring"}'], 3);
  assert.equal(after['workqueue_unfinished_work_seconds{name="ring"}'], 0);
});

test('requests are counted by code and method; one without an answer has the code "error"', async () => {
  const registry = new Registry();
  const onRequest = restClientMetrics(registry);
  onRequest('GET', 200, 10);
  onRequest('PATCH', 'error', 10_000);
  const values = await samples(registry);
  assert.equal(values['rest_client_requests_total{method="GET",code="200"}'], 1);
  assert.equal(values['rest_client_requests_total{method="PATCH",code="error"}'], 1);
  assert.equal(values['rest_client_request_duration_seconds_sum{method="PATCH"}'], 10);
});

test('two that ask for the metrics of one registry share them; registries are apart', () => {
  const registry = new Registry();
  assert.equal(controllerMetrics(registry), controllerMetrics(registry));
  assert.notEqual(controllerMetrics(registry), controllerMetrics(new Registry()));
});
