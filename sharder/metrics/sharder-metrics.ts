import { Counter, Gauge, type Registry } from 'prom-client';

type ObjectLabels = { controllerring: string; group: string; resource: string };

/** The sharder's metrics; none has a label per object. */
export interface SharderMetrics {
  assigned(labels: ObjectLabels): void;
  moved(labels: ObjectLabels): void;
  drained(labels: ObjectLabels): void;
  calculated(ring: string): void;
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
  ringGauges(registry, figures);
  shardGauges(registry, figures);
  return {
    assigned: (labels) => assignments.inc(labels),
    moved: (labels) => movements.inc(labels),
    drained: (labels) => drains.inc(labels),
    calculated: (ring) => calculations.inc({ controllerring: ring }),
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
