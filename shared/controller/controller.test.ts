import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Registry } from 'prom-client';
import { controllerMetrics } from '../metrics/controller.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Controller, type ControllerOptions, type Reconcile } from './controller.ts';

function start(reconcile: Reconcile<string>, options: Partial<ControllerOptions<string>> = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const controller = new Controller({ name: 'test', reconcile, clock, logger: silentLogger, ...options });
  const run = controller.run(stop.signal);
  return { clock, stop, controller, run };
}

/** True if the promise has settled, after all that is ready has run. */
async function settled(clock: FakeClock, promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.finally(() => {
    done = true;
  });
  await clock.advance(0);
  return done;
}

test('every key enqueued is reconciled, also one enqueued before the start', async () => {
  const seen: string[] = [];
  const clock = new FakeClock();
  const stop = new AbortController();
  const controller = new Controller({
    name: 'test',
    reconcile: async (key: string) => void seen.push(key),
    clock,
    logger: silentLogger,
  });
  controller.enqueue('early');
  const run = controller.run(stop.signal);
  controller.enqueue('a');
  controller.enqueueAfter('b', 100);
  await clock.advance(100);
  assert.deepEqual(seen, ['early', 'a', 'b']);
  stop.abort();
  await run;
});

test('a reconcile that wants to come back later does, without counting as a failure', async () => {
  const at: number[] = [];
  const { clock, stop, controller, run } = start(async () => {
    at.push(clock.monotonic());
    return { kind: 'later', afterMs: 1000 };
  });
  controller.enqueue('a');
  await clock.advance(2500);
  assert.deepEqual(at, [0, 1000, 2000]);
  assert.equal(controller.queue.retries('a'), 0);
  stop.abort();
  await run;
});

test('a reconcile that fails is tried again after growing waits, until it succeeds', async () => {
  const at: number[] = [];
  const { clock, stop, controller, run } = start(async () => {
    at.push(clock.monotonic());
    if (at.length < 4) throw new Error('not yet');
  });
  controller.enqueue('a');
  await clock.advance(1000);
  assert.deepEqual(at, [0, 5, 15, 35]);
  assert.equal(controller.queue.retries('a'), 0);
  stop.abort();
  await run;
});

const nonsense: unknown[] = [
  null,
  'done',
  {},
  { kind: 'else' },
  { kind: 'later' },
  { kind: 'later', afterMs: null },
  { kind: 'later', afterMs: '1000' },
  { kind: 'later', afterMs: -1 },
  { kind: 'later', afterMs: Number.NaN },
  { kind: 'later', afterMs: Number.POSITIVE_INFINITY },
];
for (const outcome of nonsense) {
  test(`an outcome such as ${JSON.stringify(outcome)} is a failure`, async () => {
    // @ts-expect-error -- what an author without types may write
    const { clock, stop, controller, run } = start(async () => outcome);
    controller.enqueue('a');
    await clock.advance(0);
    assert.equal(controller.queue.retries('a'), 1);
    stop.abort();
    await run;
  });
}

test('a reconcile that throws before it returns a promise is a failure', async () => {
  const { clock, stop, controller, run } = start(() => {
    throw new Error('at once');
  });
  controller.enqueue('a');
  await clock.advance(0);
  assert.equal(controller.queue.retries('a'), 1);
  stop.abort();
  await run;
});

test('at most `concurrency` keys are worked on, never one twice, and each ends on its newest state', async () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), pause: fc.nat(12) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.record({ takes: fc.nat(15), fails: fc.boolean() }), { minLength: 1, maxLength: 10 }),
      async (steps, concurrency, behaviours) => {
        const wanted = new Map<string, number>();
        const reached = new Map<string, number>();
        const atWork = new Set<string>();
        let calls = 0;
        const { clock, stop, controller, run } = start(
          async (key) => {
            assert.ok(!atWork.has(key), `two at work on ${key}`);
            atWork.add(key);
            assert.ok(atWork.size <= concurrency);
            const behaviour = behaviours[calls % behaviours.length];
            calls += 1;
            const seen = wanted.get(key) ?? 0;
            await clock.sleep(behaviour?.takes ?? 0);
            atWork.delete(key);
            if (behaviour?.fails && calls < 60) throw new Error('failed');
            reached.set(key, seen);
          },
          { concurrency, rateLimit: { baseMs: 1, maxMs: 8 } },
        );
        for (const { key, pause } of steps) {
          wanted.set(key, (wanted.get(key) ?? 0) + 1);
          controller.enqueue(key);
          await clock.advance(pause);
        }
        await clock.advance(5_000);
        assert.deepEqual(reached, new Map([...wanted].filter(([key]) => reached.has(key))));
        assert.equal(reached.size, wanted.size);
        stop.abort();
        await run;
      },
    ),
    { numRuns: 25 },
  );
});

test('after the stop no reconcile begins, and run ends when those in flight have ended', async () => {
  const begun: string[] = [];
  const { clock, stop, controller, run } = start(
    async (key, signal) => {
      begun.push(key);
      await clock.sleep(5_000, signal);
    },
    { concurrency: 2 },
  );
  for (const key of ['a', 'b', 'c']) controller.enqueue(key);
  controller.enqueueAfter('later', 60_000);
  await clock.advance(1_000);
  stop.abort();
  controller.enqueue('d');
  assert.equal(await settled(clock, run), false);
  await clock.advance(3_999);
  assert.equal(await settled(clock, run), false);
  await clock.advance(1);
  await run;
  assert.deepEqual(begun, ['a', 'b']);
  assert.equal(clock.pending, 0);
});

test('a key handed to a worker in the moment of the stop is not begun', async () => {
  let begun = 0;
  const { clock, stop, controller, run } = start(async () => {
    begun += 1;
  });
  await clock.advance(0);
  controller.enqueue('a');
  stop.abort();
  await run;
  assert.equal(begun, 0);
});

test('a reconcile that does not end in time after the stop is aborted, not sooner', async () => {
  let abortedAt: number | undefined;
  const { clock, stop, controller, run } = start(
    async (_key, signal) => {
      signal.addEventListener('abort', () => {
        abortedAt = clock.monotonic();
      });
      await clock.sleep(60_000, signal);
    },
    { stopTimeoutMs: 3_000 },
  );
  controller.enqueue('a');
  await clock.advance(1_000);
  stop.abort();
  await clock.advance(10_000);
  await run;
  assert.equal(abortedAt, 4_000);
});

test('run waits even for a reconcile that ignores its signal', async () => {
  const work = Promise.withResolvers<void>();
  const { clock, stop, controller, run } = start(() => work.promise);
  controller.enqueue('a');
  await clock.advance(0);
  stop.abort();
  await clock.advance(60_000);
  assert.equal(await settled(clock, run), false);
  work.resolve();
  await run;
});

test('a controller that is stopped before it starts does nothing', async () => {
  const controller = new Controller({
    name: 'test',
    reconcile: () => assert.fail('must not be called'),
    clock: new FakeClock(),
    logger: silentLogger,
  });
  controller.enqueue('a');
  await controller.run(AbortSignal.abort());
});

test('outcomes show in the metrics', async () => {
  const registry = new Registry();
  const { clock, stop, controller, run } = start(
    async (key) => {
      if (key === 'bad') throw new Error('bad');
      return key === 'later' ? { kind: 'later', afterMs: 60_000 } : { kind: 'done' };
    },
    { metrics: controllerMetrics(registry) },
  );
  for (const key of ['good', 'later', 'bad']) controller.enqueue(key);
  await clock.advance(0);
  stop.abort();
  await run;
  const text = await registry.metrics();
  for (const line of [
    'controller_runtime_reconcile_total{controller="test",result="success"} 1',
    'controller_runtime_reconcile_total{controller="test",result="requeue_after"} 1',
    'controller_runtime_reconcile_total{controller="test",result="error"} 1',
    'controller_runtime_active_workers{controller="test"} 0',
    'workqueue_adds_total{name="test",controller="test"} 3',
    'workqueue_retries_total{name="test",controller="test"} 1',
  ]) {
    assert.ok(text.includes(line), line);
  }
});

test('a flood of reconciles with nothing to wait for leaves the event loop free', async () => {
  let now = 0;
  const clock = Object.assign(new FakeClock(), { monotonic: () => now });
  const stop = new AbortController();
  let calls = 0;
  const controller = new Controller({
    name: 'test',
    reconcile: async () => {
      now += 1; // each takes 1 ms of computation
      calls += 1;
    },
    clock,
    logger: silentLogger,
  });
  for (let i = 0; i < 100; i += 1) controller.enqueue(`key-${i}`);
  const run = controller.run(stop.signal);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(calls <= 20, `${calls} reconciles in one turn`);
  stop.abort();
  await run;
});

test('a concurrency that makes no sense is refused', () => {
  for (const concurrency of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => start(async () => {}, { concurrency }), {
      name: 'RangeError',
      message: `controller test: concurrency must be a whole number of at least 1, not ${concurrency}`,
    });
  }
});
