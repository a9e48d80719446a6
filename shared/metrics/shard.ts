import { Gauge } from 'prom-client';
import { oncePerRegistry } from './registry.ts';

/** What a shard has to do, as long as it holds a name. */
export interface ShardLoad {
  shard: string;
  /** Objects that it reconciles, as it knows them. */
  objects: number;
  weight: number;
}

export interface ShardMetrics {
  /** `load` is asked at each scrape; a spare has none. */
  observe(ring: string, load: () => ShardLoad | undefined): void;
}

/** What a shard tells of itself, beside its controllers' metrics. */
export const shardMetrics = oncePerRegistry((registry): ShardMetrics => {
  const rings = new Map<string, () => ShardLoad | undefined>();
  registry.registerMetric(
    new Gauge({
      name: 'controller_sharding_shard_objects_per_weight',
      help: 'Main objects that this shard has, divided by its weight: what levelling makes the same on all shards',
      labelNames: ['controllerring', 'shard'],
      registers: [],
      collect() {
        this.reset();
        for (const [controllerring, load] of rings) {
          const known = load();
          if (known === undefined) continue;
          this.set({ controllerring, shard: known.shard }, known.objects / known.weight);
        }
      },
    }),
  );
  return { observe: (ring, load) => void rings.set(ring, load) };
});
