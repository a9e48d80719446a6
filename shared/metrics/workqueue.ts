import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueObserver } from '../queue/work-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import { type BucketCounts, BucketHistogram } from './bucket-histogram.ts';
import { oncePerRegistry } from './registry.ts';

/** 10 ns to 1,000 s, as in controller-runtime. */
const durationBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1, 10, 100, 1000];

export interface WorkqueueMetrics {
  /** An observer for the queue of that name; its series exist at once. Queues of one name are counted together. */
  observe(name: string, clock: Clock): QueueObserver<string>;
}

/** client-go's label, and the one that controller-runtime's dashboards group by; there they are the same, too. */
const labelNames = ['name', 'controller'] as const;
const labelsOf = (queue: string): Record<(typeof labelNames)[number], string> => ({
  name: queue,
  controller: queue,
});

/**
 * The `workqueue_*` metrics under the names that client-go and controller-runtime gave them. The depth isn't told for
 * each priority: what waits is looked at as a whole.
 */
export const workqueueMetrics = oncePerRegistry((registry): WorkqueueMetrics => {
  const queues = new Map<string, QueueFigures>();
  const figure = (make: typeof gauge, name: string, help: string, value: (queue: QueueFigures) => number) =>
    make(registry, name, help, () => [...queues].map(([queue, figures]) => [queue, value(figures)]));
  figure(gauge, 'depth', 'Keys that wait in the work queue', ({ depth }) => depth);
  figure(counter, 'adds_total', 'Keys added to the work queue', ({ adds }) => adds);
  figure(counter, 'retries_total', 'Keys put back because of a failure', ({ retries }) => retries);
  figure(
    gauge,
    'unfinished_work_seconds',
    'Time spent so far on the keys being worked on; ever growing means that workers are stuck',
    (queue) => queue.unfinishedMs() / 1000,
  );
  figure(
    gauge,
    'longest_running_processor_seconds',
    'Time spent so far on the key that has been worked on for the longest',
    (queue) => queue.longestMs() / 1000,
  );
  const waiting = histogram(
    registry,
    'queue_duration_seconds',
    'Time that a key waits before it is worked on',
  );
  const working = histogram(registry, 'work_duration_seconds', 'Time that the work on a key takes');

  return {
    observe(name, clock) {
      const known = queues.get(name);
      if (known !== undefined) return known;
      const labels = labelsOf(name);
      const figures = new QueueFigures(clock, waiting.add(labels), working.add(labels));
      queues.set(name, figures);
      return figures;
    },
  };
});

type Values = () => Array<[queue: string, value: number]>;

function gauge(registry: Registry, name: string, help: string, values: Values): void {
  const metric = new Gauge({
    name: `workqueue_${name}`,
    help,
    labelNames,
    registers: [],
    collect() {
      for (const [queue, value] of values()) this.set(labelsOf(queue), value);
    },
  });
  registry.registerMetric(metric);
}

function counter(registry: Registry, name: string, help: string, values: Values): void {
  const metric = new Counter({
    name: `workqueue_${name}`,
    help,
    labelNames,
    registers: [],
    collect() {
      this.reset();
      for (const [queue, value] of values()) this.inc(labelsOf(queue), value);
    },
  });
  registry.registerMetric(metric);
}

function histogram(registry: Registry, name: string, help: string): BucketHistogram {
  const metric = new BucketHistogram(`workqueue_${name}`, help, [...labelNames], durationBuckets);
  registry.registerMetric(metric);
  return metric;
}

/** What happened to the keys of one queue: plain numbers, since it is called for every key, and read once a scrape. */
class QueueFigures implements QueueObserver<string> {
  depth = 0;
  adds = 0;
  retries = 0;
  readonly #clock: Clock;
  readonly #waited: BucketCounts;
  readonly #worked: BucketCounts;
  readonly #workingSince = new Map<string, number>();

  constructor(clock: Clock, waited: BucketCounts, worked: BucketCounts) {
    this.#clock = clock;
    this.#waited = waited;
    this.#worked = worked;
  }

  added(): void {
    this.adds += 1;
    this.depth += 1;
  }

  taken(key: string, waitedMs: number): void {
    this.depth -= 1;
    this.#waited.observe(waitedMs / 1000);
    this.#workingSince.set(key, this.#clock.monotonic());
  }

  done(key: string): void {
    const now = this.#clock.monotonic();
    this.#worked.observe((now - (this.#workingSince.get(key) ?? now)) / 1000);
    this.#workingSince.delete(key);
  }

  retried(): void {
    this.retries += 1;
  }

  dropped(keys: number): void {
    this.depth -= keys;
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
