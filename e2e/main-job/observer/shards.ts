import { sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import type { LeaseSeen, MachineMs, ObservedEvent, ProcessEvent, ShardWishes } from './events.ts';

/** A shard as those see it who know both its Lease and its process. */
export interface ShardView {
  name: string;
  /** `live`: its objects are its own. `gone`: they must move. `starting`: its process has no Lease yet. */
  state: 'starting' | 'live' | 'gone';
  since: MachineMs;
  /** How long its objects may stay with it after `since`, once it is gone. */
  boundMs: number;
  /** The sharder's state label on its Lease; undefined without a Lease. */
  label: string | undefined;
  /** Of its Lease, as it was last seen. */
  resourceVersion: string;
  wishes: ShardWishes;
  /** Since when it has been cordoned or draining without a break; undefined when it is neither. */
  closedSince: MachineMs | undefined;
  /** The process is there, or will be started again. */
  running: boolean;
}

/** After a release, and for an object without a shard. */
export const promptMs = 2_000;
/** After a SIGKILL or a lost Lease: the Lease (15 s) has to run out first. */
export const expiryMs = 20_000;

/** Which shards there are, from Leases and from what the supervisor says of their processes. */
export class Shards {
  readonly #shards = new Map<string, ShardView>();
  /** Since when there has been a shard that takes any object without a break; undefined when there is none. */
  usableSince: MachineMs | undefined;

  get(name: string): ShardView | undefined {
    return this.#shards.get(name);
  }

  all(): ShardView[] {
    return [...this.#shards.values()];
  }

  live(): string[] {
    return this.all()
      .filter(({ state }) => state === 'live')
      .map(({ name }) => name);
  }

  /** Those that take any object: live, neither cordoned nor draining. */
  usable(): ShardView[] {
    return this.all().filter(({ state, closedSince }) => state === 'live' && closedSince === undefined);
  }

  /** Whether an object may be pinned to it now: also to a cordoned shard. */
  isPinnable(name: string): boolean {
    const view = this.#shards.get(name);
    return view?.state === 'live' && !view.wishes.draining;
  }

  observe(event: ObservedEvent): void {
    if (event.kind === 'lease') this.#lease(event);
    else if (event.kind === 'process' && event.role === 'replica') this.#process(event);
    else return;
    if (this.usable().length === 0) this.usableSince = undefined;
    else this.usableSince ??= event.at;
  }

  #lease({ shard, holder, state, resourceVersion, wishes, at }: LeaseSeen): void {
    const known = this.#shards.has(shard);
    const view = this.#view(shard, at);
    view.label = holder === undefined ? undefined : (state ?? '');
    view.resourceVersion = resourceVersion;
    view.wishes = wishes;
    if (!wishes.cordoned && !wishes.draining) view.closedSince = undefined;
    else view.closedSince ??= at;
    if (!known && holder !== shard) {
      become(view, 'gone', at);
    } else if (holder === shard) {
      // A killed process's Lease still looks held.
      if (view.state === 'starting' || (view.state === 'gone' && view.running)) become(view, 'live', at);
    } else if (view.state === 'live') {
      become(view, 'gone', at, holder === undefined ? expiryMs : promptMs);
    } else if (holder === '' || holder === sharderHolder) {
      if (view.state === 'starting') return;
      view.boundMs = Math.min(view.boundMs, Math.max(0, at - view.since) + promptMs);
    }
  }

  #process({ name, state, forGood, cause, at }: ProcessEvent): void {
    const known = this.#shards.has(name);
    const view = this.#view(name, at);
    if (state === 'started') {
      view.running = true;
      if (!known) view.state = 'starting';
    } else if (state === 'killing') {
      view.running = false;
      if (view.state !== 'gone') become(view, 'gone', at, expiryMs);
    } else if (forGood) {
      view.running = false;
      if (view.state !== 'gone') become(view, 'gone', at, cause === 'stopped' ? promptMs : expiryMs);
    }
  }

  #view(name: string, at: MachineMs): ShardView {
    let view = this.#shards.get(name);
    if (view === undefined) {
      // Without a word from the supervisor it is a shard of somebody else's, which its Lease alone tells about.
      view = {
        name,
        state: 'starting',
        since: at,
        boundMs: promptMs,
        label: undefined,
        resourceVersion: '0',
        wishes: { weight: 1, cordoned: false, draining: false },
        closedSince: undefined,
        running: true,
      };
      this.#shards.set(name, view);
    }
    return view;
  }
}

function become(view: ShardView, state: ShardView['state'], at: MachineMs, boundMs = promptMs): void {
  view.state = state;
  view.since = at;
  view.boundMs = boundMs;
}
