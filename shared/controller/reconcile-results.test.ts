import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { ApiError } from '../kube/errors.ts';
import { controllerMetrics } from '../metrics/controller.ts';
import { lowPriority } from '../queue/work-queue.ts';
import { createLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Controller, type ControllerOptions, type Reconcile } from './controller.ts';
import { ReconcileTimeoutError, TerminalError } from './outcome.ts';

function start(reconcile: Reconcile<string>, options: Partial<ControllerOptions<string>> = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const atOnce = new AbortController();
  const registry = new Registry();
  const lines: Array<{ level: string; msg: string }> = [];
  const logger = createLogger({
    level: 'debug',
    name: 'test',
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const metrics = controllerMetrics(registry);
  const controller = new Controller({ name: 'test', reconcile, clock, logger, metrics, ...options });
  const run = controller.run(stop.signal, atOnce.signal);
  const metric = async (line: string): Promise<void> => {
    const text = await registry.metrics();
    assert.ok(text.includes(`\n${line}\n`), text);
  };
  const logged = (level: string) => lines.filter((line) => line.level === level).map(({ msg }) => msg);
  return { clock, stop, atOnce, controller, run, metric, logged };
}

test('a reconcile that fails for good is told once, and tried again only when its object changes', async () => {
  let calls = 0;
  const { clock, stop, controller, run, metric, logged } = start(async () => {
    calls += 1;
    throw new TerminalError('spec.size is negative');
  });
  controller.enqueue('a');
  await clock.advance(3_600_000);
  assert.equal(calls, 1);
  assert.equal(controller.queue.retries('a'), 0);
  assert.equal(logged('error').length, 1);
  await metric('controller_runtime_terminal_reconcile_errors_total{controller="test"} 1');
  await metric('controller_runtime_reconcile_errors_total{controller="test"} 1');
  controller.enqueue('a');
  await clock.advance(0);
  assert.equal(calls, 2);
  stop.abort();
  await run;
});

const thrown: [what: string, error: unknown, panics: number][] = [
  ['a property of undefined', new TypeError("Cannot read properties of undefined (reading 'spec')"), 1],
  ['a name that is not known', new ReferenceError('sise is not defined'), 1],
  ['no Error at all', 'a text', 1],
  ['a fetch that failed', new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }), 0],
  ['an invalid URL', Object.assign(new TypeError('x'), { code: 'ERR_INVALID_URL' }), 0],
  ['an error of the author', new Error('not ready'), 0],
];
for (const [what, error, panics] of thrown) {
  test(`${what} is a failure, and ${panics ? 'a fault of the program' : 'not a fault of the program'}`, async () => {
    const { clock, stop, controller, run, metric } = start(async () => {
      throw error;
    });
    controller.enqueue('a');
    await clock.advance(0);
    assert.equal(controller.queue.retries('a'), 1);
    await metric('controller_runtime_reconcile_errors_total{controller="test"} 1');
    await metric(`controller_runtime_reconcile_panics_total{controller="test"} ${panics}`);
    stop.abort();
    await run;
  });
}

test('a conflict is tried again like a failure, but is no error in log and metrics', async () => {
  const at: number[] = [];
  const { clock, stop, controller, run, metric, logged } = start(async () => {
    at.push(clock.monotonic());
    if (at.length < 3) throw new ApiError(409, 'Conflict', 'the object has been modified');
  });
  controller.enqueue('a');
  await clock.advance(1000);
  assert.deepEqual(at, [0, 5, 15]);
  assert.deepEqual(logged('error'), []);
  assert.equal(logged('debug').length, 2);
  await metric('controller_runtime_reconcile_total{controller="test",result="requeue"} 2');
  await metric('controller_runtime_reconcile_errors_total{controller="test"} 0');
  stop.abort();
  await run;
});

test('a reconcile is aborted at its deadline, fails, and is tried again when it has ended', async () => {
  const at: number[] = [];
  const reasons: unknown[] = [];
  const { clock, stop, controller, run, metric } = start(
    async (_key, signal) => {
      at.push(clock.monotonic());
      if (at.length > 1) return;
      await clock.sleep(60_000, signal).catch((error: unknown) => reasons.push(error));
    },
    { reconcileTimeoutMs: 1_000 },
  );
  controller.enqueue('a');
  await clock.advance(10_000);
  assert.deepEqual(at, [0, 1_005]);
  assert.ok(reasons[0] instanceof ReconcileTimeoutError);
  await metric('controller_runtime_reconcile_timeouts_total{controller="test"} 1');
  await metric('controller_runtime_reconcile_errors_total{controller="test"} 1');
  await metric('controller_runtime_active_workers{controller="test"} 0');
  stop.abort();
  await run;
  assert.equal(clock.pending, 0);
});

test('a reconcile that goes on after its deadline keeps its key, and holds up no other', async () => {
  const hanging = Promise.withResolvers<void>();
  const begun: string[] = [];
  const { clock, stop, controller, run, metric, logged } = start(
    async (key) => {
      begun.push(key);
      if (key === 'a' && begun.length === 1) await hanging.promise;
    },
    { reconcileTimeoutMs: 1_000 },
  );
  controller.enqueue('a');
  controller.enqueue('b');
  await clock.advance(5_000);
  controller.enqueue('a');
  controller.enqueue('c');
  await clock.advance(5_000);
  assert.deepEqual(begun, ['a', 'b', 'c']);
  assert.equal(logged('error').length, 1);
  await metric('controller_runtime_active_workers{controller="test"} 1');
  await metric('workqueue_longest_running_processor_seconds{name="test",controller="test"} 10');
  hanging.resolve();
  await clock.advance(0);
  assert.deepEqual(begun, ['a', 'b', 'c', 'a']);
  assert.equal(logged('info').length, 1);
  stop.abort();
  await run;
  assert.equal(clock.pending, 0);
});

test('as many reconciles as there are workers may be left behind, then the workers wait', async () => {
  const hanging = new Map<string, () => void>();
  const { clock, stop, controller, run } = start(
    (key) => new Promise((resolve) => hanging.set(key, () => resolve())),
    { reconcileTimeoutMs: 1_000, concurrency: 2 },
  );
  for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key);
  await clock.advance(60_000);
  assert.deepEqual([...hanging.keys()], ['a', 'b', 'c', 'd']);
  hanging.get('c')?.();
  await clock.advance(0);
  assert.deepEqual([...hanging.keys()], ['a', 'b', 'c', 'd', 'e']);
  stop.abort();
  for (const end of hanging.values()) end();
  await run;
});

test('run ends only when a reconcile that was left behind has ended, too', async () => {
  const hanging = Promise.withResolvers<void>();
  const { clock, stop, controller, run } = start(() => hanging.promise, { reconcileTimeoutMs: 1_000 });
  controller.enqueue('a');
  await clock.advance(2_000);
  stop.abort();
  let ended = false;
  void run.then(() => {
    ended = true;
  });
  await clock.advance(60_000);
  assert.equal(ended, false);
  hanging.resolve();
  await run;
});

test('a controller that is to stop at once aborts its reconciles without a wait', async () => {
  let abortedAt: number | undefined;
  const { clock, stop, atOnce, controller, run } = start(async (_key, signal) => {
    await clock.sleep(60_000, signal).catch(() => undefined);
    abortedAt = clock.monotonic();
  });
  controller.enqueue('a');
  await clock.advance(1_000);
  stop.abort();
  atOnce.abort();
  await clock.advance(1);
  await run;
  assert.equal(abortedAt, 1_000);
  assert.equal(clock.pending, 0);
});

for (const [how, first] of [
  ['after a failure', () => Promise.reject(new Error('the first one fails'))],
  ['later', () => Promise.resolve({ kind: 'later' as const, afterMs: 5 })],
] as const) {
  test(`what was not urgent isn't when it comes back ${how}`, async () => {
    const order: string[] = [];
    const { clock, stop, controller, run } = start(async (key) => {
      order.push(key);
      if (order.length === 1) return first();
      if (key === 'long') await clock.sleep(50);
    });
    controller.enqueue('listed', lowPriority);
    await clock.advance(1);
    controller.enqueue('long');
    await clock.advance(10);
    assert.equal(controller.queue.length, 1, 'it has come back');
    controller.enqueue('fresh');
    await clock.advance(60);
    assert.deepEqual(order, ['listed', 'long', 'fresh', 'listed']);
    stop.abort();
    await run;
  });
}

test('a deadline that makes no sense is refused', () => {
  for (const reconcileTimeoutMs of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
    assert.throws(() => start(async () => {}, { reconcileTimeoutMs }), RangeError);
  }
});
