import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { sampleEventLoopDelay } from '../runtime/event-loop.ts';

/**
 * A registry of its own (not prom-client's global one) with what is worth knowing of every process: CPU, memory,
 * garbage collection, delay of the event loop. prom-client's own figures of the latter are left out: they start anew with
 * each scrape, say 10 ms of an idle process, and to sample them 100 times a second takes a quarter of the CPU time of an
 * idle sharder.
 */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1_000 });
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith('nodejs_eventloop_lag_')) registry.removeSingleMetric(name);
  }
  // Sums of `nodejs_active_handles` and so on, which are no counters as their names say.
  for (const what of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${what}_total`);
  }
  const delay = new Histogram({
    name: 'event_loop_delay_seconds',
    help: 'How long what was due had to wait for the event loop, sampled',
    buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  sampleEventLoopDelay((delayMs) => delay.observe(delayMs / 1000));
  return registry;
}

/**
 * Makes a group of metrics once per registry: whoever asks again gets the same ones, since a registry refuses a
 * second metric of a name.
 */
export function oncePerRegistry<T>(make: (registry: Registry) => T): (registry: Registry) => T {
  const made = new WeakMap<Registry, T>();
  return (registry) => {
    const known = made.get(registry);
    if (known !== undefined) return known;
    const metrics = make(registry);
    made.set(registry, metrics);
    return metrics;
  };
}
