import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry of its own (not prom-client's global one) with what is worth knowing of every process: CPU, memory,
 * garbage collection, delay of the event loop. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
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
