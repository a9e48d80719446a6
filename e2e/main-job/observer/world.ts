import type { MachineMs, ObjectSeen, ObservedEvent, ShardWishes } from './events.ts';
import { Shards, type ShardView } from './shards.ts';

/** What one shard holds. */
export interface ShardSummary {
  name: string;
  state: ShardView['state'];
  since: MachineMs;
  /** The sharder's state label on its Lease; undefined without a Lease. */
  label: string | undefined;
  wishes: ShardWishes;
  secrets: number;
  configMaps: number;
  /** Secrets that it is asked to hand over. */
  leaving: number;
  /** Secrets that it shall get. */
  arriving: number;
  /** Secrets that are pinned to it, wherever they are. */
  pinned: number;
}

/** The ring at one moment, in numbers. */
export interface Summary {
  shards: ShardSummary[];
  secrets: number;
  configMaps: number;
  /** Objects without a shard. */
  unassigned: number;
  /** Secrets with a drain label. */
  moving: number;
  /** ConfigMaps on another shard than their Secret. */
  split: number;
  /** Secrets that have no ConfigMap. */
  single: number;
  /** Secrets that are on another shard than they are pinned to, although that one can take them. */
  astray: number;
  /** Holder of the sharders' Lease; '' when nobody leads. */
  leader: string;
}

/** What is known of a shard that was never seen. */
const unknown = {
  state: 'gone',
  since: 0,
  label: undefined,
  wishes: { weight: 1, cordoned: false, draining: false },
} as const;

/** The present state, as far as the observer has seen it. */
export class World {
  readonly shards = new Shards();
  readonly #secrets = new Map<string, ObjectSeen>();
  readonly #configMaps = new Map<string, ObjectSeen>();
  leader = '';

  observe(event: ObservedEvent): void {
    this.shards.observe(event);
    if (event.kind === 'object') this.#of(event.resource).set(event.uid, event);
    else if (event.kind === 'object-gone') this.#of(event.resource).delete(event.uid);
    else if (event.kind === 'leader') this.leader = event.holder;
  }

  /** Any Secret that has another shard than that one, has no pin, and isn't on the move. */
  restingSecret(notOn?: string): ObjectSeen | undefined {
    const rests = ({ shard, drain, pin }: ObjectSeen): boolean =>
      shard !== undefined && shard !== notOn && drain === undefined && pin === undefined;
    return this.#secrets.values().find(rests);
  }

  secret(uid: string): ObjectSeen | undefined {
    return this.#secrets.get(uid);
  }

  pinnedSecrets(): ObjectSeen[] {
    return [...this.#secrets.values()].filter(({ pin }) => pin !== undefined);
  }

  /** Which shard each object is on, by resource and uid. */
  assignments(resource: ObjectSeen['resource']): Map<string, string | undefined> {
    return new Map([...this.#of(resource)].map(([uid, { shard }]) => [uid, shard]));
  }

  #of(resource: ObjectSeen['resource']): Map<string, ObjectSeen> {
    return resource === 'secrets' ? this.#secrets : this.#configMaps;
  }

  summary(): Summary {
    const shards = new Map<string, ShardSummary>();
    const shardOf = (name: string): ShardSummary => {
      let summary = shards.get(name);
      if (summary === undefined) {
        const view = this.shards.get(name);
        const { state, since, label, wishes } = view ?? unknown;
        const counts = { secrets: 0, configMaps: 0, leaving: 0, arriving: 0, pinned: 0 };
        summary = { name, state, since, label, wishes, ...counts };
        shards.set(name, summary);
      }
      return summary;
    };
    for (const { name } of this.shards.all()) shardOf(name);
    let [unassigned, moving, split, astray] = [0, 0, 0, 0];
    for (const { shard, drain, pin } of this.#secrets.values()) {
      if (pin !== undefined) {
        shardOf(pin).pinned++;
        if (shard !== pin && this.shards.isPinnable(pin)) astray++;
      }
      if (shard === undefined) unassigned++;
      else shardOf(shard).secrets++;
      if (drain === undefined) continue;
      moving++;
      if (shard !== undefined) shardOf(shard).leaving++;
      if (drain !== '') shardOf(drain).arriving++;
    }
    const paired = new Set<string>();
    for (const { shard, owner } of this.#configMaps.values()) {
      if (shard === undefined) unassigned++;
      else shardOf(shard).configMaps++;
      const secret = owner === undefined ? undefined : this.#secrets.get(owner);
      if (secret === undefined) continue;
      paired.add(secret.uid);
      if (secret.shard !== shard) split++;
    }
    return {
      shards: [...shards.values()].toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
      secrets: this.#secrets.size,
      configMaps: this.#configMaps.size,
      unassigned,
      moving,
      split,
      single: this.#secrets.size - paired.size,
      astray,
      leader: this.leader,
    };
  }
}
