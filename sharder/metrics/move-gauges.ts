import type { GroupResource } from '@controller-sharding/shared/kube/types.ts';
import { Gauge, type Registry } from 'prom-client';

/** Objects of one resource. */
export interface ResourceCount extends GroupResource {
  count: number;
}

/** What a ring's leader has to do. */
export interface MoveFigures {
  /** Without a shard. */
  unassigned: ResourceCount[];
  /** Asked of their shard, which has not let go yet. */
  draining: ResourceCount[];
  /** Of these, those that it should have let go of. */
  overdue: ResourceCount[];
}

/** Main objects of a shard, and how many it should have; by the last list of all. */
export interface ShardLoad {
  shard: string;
  load: number;
  share: number;
}

const prefix = 'controller_sharding_';

/** Gauges of the rings that this process moves objects of; a ring has none unless it leads. */
export class MoveGauges {
  readonly #figures = new Map<string, () => MoveFigures>();
  readonly #loads = new Map<string, readonly ShardLoad[]>();

  constructor(registry: Registry) {
    this.#objects(registry, 'unassigned', 'Objects that have no shard (yet)');
    this.#objects(registry, 'draining', 'Objects that their shard was asked to let go of, and has not yet');
    this.#objects(registry, 'overdue', 'Objects that their shard has not let go of within the drain timeout');
    this.#shards(registry, 'load', 'Main objects on a shard, by the last list of all');
    this.#shards(registry, 'share', 'Main objects that a shard should have, by the last list of all');
  }

  /** `figures` is asked at each scrape, until the returned function is called. */
  observe(ring: string, figures: () => MoveFigures): () => void {
    this.#figures.set(ring, figures);
    return () => {
      if (this.#figures.get(ring) !== figures) return;
      this.#figures.delete(ring);
      this.#loads.delete(ring);
    };
  }

  loaded(ring: string, loads: readonly ShardLoad[]): void {
    if (this.#figures.has(ring)) this.#loads.set(ring, loads);
  }

  #objects(registry: Registry, name: keyof MoveFigures, help: string): void {
    const gauge = new Gauge({
      name: `${prefix}${name}_objects`,
      help,
      labelNames: ['controllerring', 'group', 'resource'],
      registers: [],
      collect: () => {
        gauge.reset();
        for (const [controllerring, figures] of this.#figures) {
          for (const { group, resource, count } of figures()[name]) {
            gauge.set({ controllerring, group, resource }, count);
          }
        }
      },
    });
    registry.registerMetric(gauge);
  }

  #shards(registry: Registry, name: 'load' | 'share', help: string): void {
    const gauge = new Gauge({
      name: `${prefix}shard_${name}`,
      help,
      labelNames: ['controllerring', 'shard'],
      registers: [],
      collect: () => {
        gauge.reset();
        for (const [controllerring, loads] of this.#loads) {
          for (const { shard, ...figures } of loads) gauge.set({ controllerring, shard }, figures[name]);
        }
      },
    });
    registry.registerMetric(gauge);
  }
}
