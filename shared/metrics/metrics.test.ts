import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { FakeClock } from '../testing/fake-clock.ts';
import { controllerMetrics } from './controller.ts';
import { leaderElectionMetrics } from './leader-election.ts';
import { createRegistry } from './registry.ts';
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
    'event_loop_delay_seconds_count',
  ]) {
    assert.match(text, new RegExp(`^${name} `, 'm'));
  }
  assert.doesNotMatch(text, /nodejs_eventloop_lag/);
  assert.doesNotMatch(text, /_total gauge$/m);
});

test('the series of a controller exist before it did anything', async () => {
  const registry = new Registry();
  controllerMetrics(registry).observe('ring', new FakeClock(), 3);
  const values = await samples(registry);
  assert.deepEqual(Object.keys(values).toSorted(), [
    'controller_runtime_active_workers{controller="ring"}',
    'controller_runtime_max_concurrent_reconciles{controller="ring"}',
    'controller_runtime_reconcile_errors_total{controller="ring"}',
    'controller_runtime_reconcile_panics_total{controller="ring"}',
    'controller_runtime_reconcile_time_seconds_count{controller="ring"}',
    'controller_runtime_reconcile_time_seconds_sum{controller="ring"}',
    'controller_runtime_reconcile_timeouts_total{controller="ring"}',
    'controller_runtime_reconcile_total{controller="ring",result="error"}',
    'controller_runtime_reconcile_total{controller="ring",result="requeue"}',
    'controller_runtime_reconcile_total{controller="ring",result="requeue_after"}',
    'controller_runtime_reconcile_total{controller="ring",result="success"}',
    'controller_runtime_terminal_reconcile_errors_total{controller="ring"}',
    'workqueue_adds_total{name="ring",controller="ring"}',
    'workqueue_depth{name="ring",controller="ring"}',
    'workqueue_longest_running_processor_seconds{name="ring",controller="ring"}',
    'workqueue_queue_duration_seconds_count{name="ring",controller="ring"}',
    'workqueue_queue_duration_seconds_sum{name="ring",controller="ring"}',
    'workqueue_retries_total{name="ring",controller="ring"}',
    'workqueue_unfinished_work_seconds{name="ring",controller="ring"}',
    'workqueue_work_duration_seconds_count{name="ring",controller="ring"}',
    'workqueue_work_duration_seconds_sum{name="ring",controller="ring"}',
  ]);
  const { 'controller_runtime_max_concurrent_reconciles{controller="ring"}': most, ...others } = values;
  assert.equal(most, 3);
  assert.ok(Object.values(others).every((value) => value === 0));
});

test('reconciles are counted by result and timed', async () => {
  const registry = new Registry();
  const observer = controllerMetrics(registry).observe('ring', new FakeClock(), 3);
  observer.activeWorkers(2);
  observer.reconciled('done', 100);
  observer.reconciled('later', 100);
  observer.reconciled('conflict', 50);
  observer.reconciled('failed', 50);
  observer.reconciled('terminal', 100);
  observer.reconciled('timeout', 100);
  observer.reconciled('panic', 50);
  const values = await samples(registry);
  assert.equal(values['controller_runtime_active_workers{controller="ring"}'], 2);
  const totals = { success: 1, requeue_after: 1, requeue: 1, error: 4 };
  for (const [result, total] of Object.entries(totals)) {
    const name = `controller_runtime_reconcile_total{controller="ring",result="${result}"}`;
    assert.equal(values[name], total, result);
  }
  assert.equal(values['controller_runtime_reconcile_errors_total{controller="ring"}'], 4);
  assert.equal(values['controller_runtime_reconcile_panics_total{controller="ring"}'], 1);
  assert.equal(values['controller_runtime_terminal_reconcile_errors_total{controller="ring"}'], 1);
  assert.equal(values['controller_runtime_reconcile_timeouts_total{controller="ring"}'], 1);
  assert.equal(values['controller_runtime_reconcile_time_seconds_sum{controller="ring"}'], 0.55);
});

test('a queue tells how long keys wait, how long they are worked on, and which one takes too long', async () => {
  const registry = new Registry();
  const clock = new FakeClock();
  const observer = workqueueMetrics(registry).observe('ring', clock);
  observer.added('a');
  observer.added('b');
  await clock.advance(1000);
  observer.taken('a', 1000);
  await clock.advance(2000);
  observer.taken('b', 3000);
  observer.retried('a');
  await clock.advance(500);
  const during = await samples(registry);
  assert.equal(during['workqueue_unfinished_work_seconds{name="ring",controller="ring"}'], 3);
  assert.equal(during['workqueue_longest_running_processor_seconds{name="ring",controller="ring"}'], 2.5);
  observer.done('a');
  observer.done('b');
  observer.added('c');
  const after = await samples(registry);
  assert.equal(after['workqueue_depth{name="ring",controller="ring"}'], 1);
  assert.equal(after['workqueue_adds_total{name="ring",controller="ring"}'], 3);
  assert.equal(after['workqueue_retries_total{name="ring",controller="ring"}'], 1);
  assert.equal(after['workqueue_queue_duration_seconds_sum{name="ring",controller="ring"}'], 4);
  assert.equal(after['workqueue_work_duration_seconds_sum{name="ring",controller="ring"}'], 3);
  assert.equal(after['workqueue_unfinished_work_seconds{name="ring",controller="ring"}'], 0);
});

test('a queue that was shut down has no depth; one of the same name after it is counted with it', async () => {
  const registry = new Registry();
  const clock = new FakeClock();
  const metrics = workqueueMetrics(registry);
  const observer = metrics.observe('ring', clock);
  observer.added('a');
  observer.added('b');
  observer.dropped(2);
  metrics.observe('ring', clock).added('a');
  const values = await samples(registry);
  assert.equal(values['workqueue_depth{name="ring",controller="ring"}'], 1);
  assert.equal(values['workqueue_adds_total{name="ring",controller="ring"}'], 3);
});

test('times fall into the buckets of their size', async () => {
  const registry = new Registry();
  const observer = workqueueMetrics(registry).observe('ring', new FakeClock());
  for (const waitedMs of [0, 1, 5, 10, 2_000_000]) observer.taken('a', waitedMs);
  const text = await registry.metrics();
  const bucket = (le: string): string =>
    text.match(
      new RegExp(`workqueue_queue_duration_seconds_bucket{le="${le}",name="ring",controller="ring"} (\\d+)`),
    )?.[1] ?? '';
  const bounds = ['1e-8', '0.0001', '0.001', '0.01', '0.1', '1000', '\\+Inf'];
  assert.deepEqual(bounds.map(bucket), ['1', '1', '2', '4', '4', '4', '5']);
  assert.match(text, /^# TYPE workqueue_queue_duration_seconds histogram$/m);
});

test('a candidate tells whether it leads, from the start', async () => {
  const registry = new Registry();
  const observer = leaderElectionMetrics(registry).observe('operator');
  const status = 'leader_election_master_status{name="operator"}';
  const slowPath = 'leader_election_slowpath_total{name="operator"}';
  assert.deepEqual(await samples(registry), { [status]: 0, [slowPath]: 0 });
  observer.leading(true);
  observer.slowPath();
  assert.deepEqual(await samples(registry), { [status]: 1, [slowPath]: 1 });
  observer.leading(false);
  assert.equal((await samples(registry))[status], 0);
});

test('two that ask for the metrics of one registry share them; registries are apart', () => {
  const registry = new Registry();
  assert.equal(controllerMetrics(registry), controllerMetrics(registry));
  assert.notEqual(controllerMetrics(registry), controllerMetrics(new Registry()));
});
