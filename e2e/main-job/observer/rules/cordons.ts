import type { ObjectSeen, ObservedEvent } from '../events.ts';
import { promptMs, Shards } from '../shards.ts';
import { type Rule, seconds, type Violation } from './rule.ts';

type Seen = Pick<ObjectSeen, 'shard' | 'drain'>;

/**
 * A cordoned shard gets nothing new, unless it is pinned to it; a draining one gets nothing at all. Counts from 2 s after
 * the annotation on; what was on its way by then may arrive.
 */
export class Cordons implements Rule {
  readonly #shards = new Shards();
  readonly #mains = new Map<string, Seen>();

  observe(event: ObservedEvent): Violation[] {
    this.#shards.observe(event);
    if (event.kind === 'object-gone') this.#mains.delete(event.uid);
    return event.kind === 'object' && event.resource === 'secrets' ? this.#main(event) : [];
  }

  #main(event: ObjectSeen): Violation[] {
    const { uid, shard, drain } = event;
    const before = this.#mains.get(uid);
    this.#mains.set(uid, { shard, drain });
    if (drain !== undefined && drain !== before?.drain)
      return drain === shard ? [] : this.#given(event, drain);
    // What arrives at the end of a move was decided, and judged, when it was asked for.
    const isNew = shard !== undefined && shard !== before?.shard && shard !== before?.drain;
    return isNew ? this.#given(event, shard) : [];
  }

  #given({ object, pin, at }: ObjectSeen, to: string): Violation[] {
    const view = this.#shards.get(to);
    if (view?.closedSince === undefined || at <= view.closedSince + promptMs) return [];
    const { draining } = view.wishes;
    if (!draining && pin === to) return [];
    const what = draining ? 'draining' : 'cordoned';
    const message = `was given to ${to}, which is ${what} for ${seconds(at - view.closedSince)}`;
    return [{ rule: 'cordon', at, object, message }];
  }
}
