import { Counter, exponentialBuckets, Gauge, Histogram } from 'prom-client';
import type { QueueObserver } from '../queue/work-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import { oncePerRegistry } from './registry.ts';

/** 10 ns to 1,000 s, as in controller-runtime. */
const durationBuckets = exponentialBuckets(10e-9, 10, 12);

export interface WorkqueueMetrics {
  /** An observer for the queue of that name; its series exist at once. */
  observe(name: string, clock: Clock): QueueObserver<string>;
}

/** The `workqueue_*` metrics under the names that client-go and controller-runtime gave them. */
export const workqueueMetrics = oncePerRegistry((registry): WorkqueueMetrics => {
  const common = { labelNames: ['name'] as const, registers: [registry] };
  const queues = new Map<string, QueueTimes>();
  const depth = new Gauge({
    ...common,
    name: 'workqueue_depth',
    help: 'Keys that wait in the work queue',
  });
  const adds = new Counter({
    ...common,
    name: 'workqueue_adds_total',
    help: 'Keys added to the work queue',
  });
  const retries = new Counter({
    ...common,
    name: 'workqueue_retries_total',
    help: 'Keys put back into the work queue because of a failure',
  });
  const queueDuration = new Histogram({
    ...common,
    name: 'workqueue_queue_duration_seconds',
    help: 'Time that a key waits before it is worked on',
    buckets: durationBuckets,
  });
  const workDuration = new Histogram({
    ...common,
    name: 'workqueue_work_duration_seconds',
    help: 'Time that the work on a key takes',
    buckets: durationBuckets,
  });
  registry.registerMetric(
    new Gauge({
      ...common,
      registers: [],
      name: 'workqueue_unfinished_work_seconds',
      help: 'Time spent so far on the keys being worked on; ever growing means that workers are stuck',
      collect() {
        for (const [name, times] of queues) this.set({ name }, times.unfinishedMs() / 1000);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      ...common,
      registers: [],
      name: 'workqueue_longest_running_processor_seconds',
      help: 'Time spent so far on the key that has been worked on for the longest',
      collect() {
        for (const [name, times] of queues) this.set({ name }, times.longestMs() / 1000);
      },
    }),
  );

  return {
    observe(name, clock) {
      const times = new QueueTimes(clock);
      queues.set(name, times);
      const labels = { name };
      depth.set(labels, 0);
      adds.inc(labels, 0);
      retries.inc(labels, 0);
      queueDuration.zero(labels);
      workDuration.zero(labels);
      return {
        added(key) {
          times.added(key);
          adds.inc(labels);
          depth.set(labels, times.depth);
        },
        taken(key) {
          queueDuration.observe(labels, times.taken(key) / 1000);
          depth.set(labels, times.depth);
        },
        done(key) {
          workDuration.observe(labels, times.done(key) / 1000);
        },
        retried() {
          retries.inc(labels);
        },
      };
    },
  };
});

/** Since when the keys of one queue wait, and since when they are worked on. */
class QueueTimes {
  readonly #clock: Clock;
  readonly #waitingSince = new Map<string, number>();
  readonly #workingSince = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get depth(): number {
    return this.#waitingSince.size;
  }

  added(key: string): void {
    this.#waitingSince.set(key, this.#clock.monotonic());
  }

  /** How long it waited, in ms. */
  taken(key: string): number {
    const now = this.#clock.monotonic();
    const waited = now - (this.#waitingSince.get(key) ?? now);
    this.#waitingSince.delete(key);
    this.#workingSince.set(key, now);
    return waited;
  }

  /** How long it was worked on, in ms. */
  done(key: string): number {
    const now = this.#clock.monotonic();
    const worked = now - (this.#workingSince.get(key) ?? now);
    this.#workingSince.delete(key);
    return worked;
  }

  unfinishedMs(): number {
    const now = this.#clock.monotonic();
    let sum = 0;
    for (const since of this.#workingSince.values()) sum += now - since;
    return sum;
  }

  longestMs(): number {
    const now = this.#clock.monotonic();
    let longest = 0;
    for (const since of this.#workingSince.values()) longest = Math.max(longest, now - since);
    return longest;
  }
}
