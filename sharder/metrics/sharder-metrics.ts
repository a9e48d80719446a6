import { resourceName } from '@controller-sharding/shared/kube/types.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type MoveFigures, MoveGauges, type ShardLoad } from './move-gauges.ts';

type ObjectLabels = { controllerring: string; group: string; resource: string };

/** The sharder's metrics; none has a label per object. */
export interface SharderMetrics {
  assigned(labels: ObjectLabels): void;
  moved(labels: ObjectLabels): void;
  drained(labels: ObjectLabels): void;
  calculated(ring: string): void;
  /** An object has moved: so long after its shard was asked to let go, or after that was found to be given up. */
  moveTook(ring: string, from: 'living' | 'given-up', ms: number): void;
  /** A plan to level a ring was made from a list of all its main objects, which took so long together. */
  planned(ring: string, ms: number): void;
  loaded(ring: string, loads: readonly ShardLoad[]): void;
  /** `figures` is asked at each scrape, until the returned function is called. */
  observeMoves(ring: string, figures: () => MoveFigures): () => void;
  /** How many moves may be, and are, under way at once. */
  observeLimit(limit: { readonly allowed: number; readonly running: number }): void;
  /** The ring is gone: its figures, too. */
  forget(ring: string): void;
}

export interface RingFigures {
  ring: string;
  metadataGeneration: number;
  observedGeneration: number;
  shards: Array<{ shard: string; namespace: string; state: string }>;
  availableShards: number;
}

const prefix = 'controller_sharding_';
const objectLabels = ['controllerring', 'group', 'resource'] as const;
const states = ['ready', 'expired', 'uncertain', 'dead', 'orphaned'];

/** `figures` is asked at each scrape for what the rings are like then. */
export function sharderMetrics(registry: Registry, figures: () => RingFigures[]): SharderMetrics {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name: `${prefix}${name}`, help, labelNames: [...labelNames], registers: [registry] });
  const assignments = counter(
    'assignments_total',
    'Objects that were given a shard for the first time',
    objectLabels,
  );
  const movements = counter('movements_total', 'Objects that were moved from a dead shard', objectLabels);
  const drains = counter('drains_total', 'Drains asked for', objectLabels);
  const calculations = counter('ring_calculations_total', 'Plans made for a ring', ['controllerring']);
  const moveTime = new Histogram({
    name: `${prefix}move_duration_seconds`,
    help: 'Time until an object has moved: since its shard was asked to let go (living), or was found to be given up',
    labelNames: ['controllerring', 'from'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300],
    registers: [registry],
  });
  const planTime = new Histogram({
    name: `${prefix}planning_duration_seconds`,
    help: 'Time to list all main objects of a ring and to plan which ones have to move',
    labelNames: ['controllerring'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  const byResource = new RingResources([assignments, movements, drains]);
  const gauges = new MoveGauges(registry);
  const limitGauges = moveLimitGauges(registry);
  ringGauges(registry, figures);
  shardGauges(registry, figures);
  return {
    assigned: (labels) => byResource.inc(assignments, labels),
    moved: (labels) => byResource.inc(movements, labels),
    drained: (labels) => byResource.inc(drains, labels),
    calculated: (ring) => calculations.inc({ controllerring: ring }),
    moveTook: (ring, from, ms) => moveTime.observe({ controllerring: ring, from }, ms / 1_000),
    planned: (ring, ms) => planTime.observe({ controllerring: ring }, ms / 1_000),
    loaded: (ring, loads) => gauges.loaded(ring, loads),
    observeMoves: (ring, moves) => gauges.observe(ring, moves),
    observeLimit: limitGauges,
    forget(ring) {
      byResource.forget(ring);
      calculations.remove({ controllerring: ring });
      planTime.remove({ controllerring: ring });
      for (const from of ['living', 'given-up']) moveTime.remove({ controllerring: ring, from });
    },
  };
}

/** Counters by ring and resource: prom-client removes a series only by all of its labels. */
class RingResources {
  readonly #counters: ReadonlyArray<Counter<keyof ObjectLabels>>;
  readonly #seen = new Map<string, Map<string, ObjectLabels>>();

  constructor(counters: ReadonlyArray<Counter<keyof ObjectLabels>>) {
    this.#counters = counters;
  }

  inc(counter: Counter<keyof ObjectLabels>, labels: ObjectLabels): void {
    counter.inc(labels);
    const { controllerring, group, resource } = labels;
    const seen = this.#seen.get(controllerring) ?? new Map<string, ObjectLabels>();
    seen.set(resourceName({ group, resource }), labels);
    this.#seen.set(controllerring, seen);
  }

  forget(ring: string): void {
    for (const labels of this.#seen.get(ring)?.values() ?? []) {
      for (const counter of this.#counters) counter.remove(labels);
    }
    this.#seen.delete(ring);
  }
}

/** Without a value until there is a limit. */
function moveLimitGauges(registry: Registry): SharderMetrics['observeLimit'] {
  let limit: Parameters<SharderMetrics['observeLimit']>[0] | undefined;
  const gauge = (name: 'allowed' | 'running', help: string): void =>
    registry.registerMetric(
      new Gauge({
        name: `${prefix}moves_${name}`,
        help,
        registers: [],
        collect() {
          if (limit) this.set(limit[name]);
          else this.reset();
        },
      }),
    );
  gauge(
    'allowed',
    'Moves that may be under way at once; fewer than configured while the API server has enough',
  );
  gauge('running', 'Moves that are under way');
  return (observed) => {
    limit = observed;
  };
}

function ringGauges(registry: Registry, figures: () => RingFigures[]): void {
  const perRing = (name: string, help: string, value: (ring: RingFigures) => number): void =>
    registry.registerMetric(
      new Gauge({
        name: `${prefix}controllerring_${name}`,
        help,
        labelNames: ['controllerring'],
        registers: [],
        collect() {
          this.reset();
          for (const ring of figures()) this.set({ controllerring: ring.ring }, value(ring));
        },
      }),
    );
  perRing('metadata_generation', "Generation of the ring's spec", (ring) => ring.metadataGeneration);
  perRing('observed_generation', 'Generation that the sharder works by', (ring) => ring.observedGeneration);
  perRing('status_shards', 'Shards of the ring', (ring) => ring.shards.length);
  perRing('status_available_shards', 'Shards that may get objects', (ring) => ring.availableShards);
}

function shardGauges(registry: Registry, figures: () => RingFigures[]): void {
  const labelNames = ['controllerring', 'namespace', 'shard'];
  const info = new Gauge({
    name: `${prefix}shard_info`,
    help: 'Shards, always 1',
    labelNames,
    registers: [],
    collect() {
      this.reset();
      for (const { ring, shards } of figures()) {
        for (const { shard, namespace } of shards) this.set({ controllerring: ring, namespace, shard }, 1);
      }
    },
  });
  const state = new Gauge({
    name: `${prefix}shard_state`,
    help: 'State of each shard: 1 for the one it is in',
    labelNames: [...labelNames, 'state'],
    registers: [],
    collect() {
      this.reset();
      for (const { ring, shards } of figures()) {
        for (const { shard, namespace, state: present } of shards) {
          for (const name of states) {
            this.set({ controllerring: ring, namespace, shard, state: name }, name === present ? 1 : 0);
          }
        }
      }
    },
  });
  registry.registerMetric(info);
  registry.registerMetric(state);
}
