import type { LoadedShard } from '@controller-sharding/sharder/placement/shares.ts';
import type { ObjectSeen, ObservedEvent, StepEvent } from '../events.ts';
import { Shards } from '../shards.ts';
import type { Rule, Violation } from './rule.ts';
import { movesToLevel } from './shares.ts';

interface Main {
  object: string;
  shard: string | undefined;
  drain: string | undefined;
  pin: string | undefined;
  /** The shard it had at the step's begin; undefined when it had none, or is newer. */
  origin: string | undefined;
  /** The shards it was given in this step. */
  given: string[];
}

/**
 * What must not move stays: nothing in a step that changes no membership. Else these move: the objects of shards that are
 * gone or drained, those that are pinned elsewhere, and what levelling needs between the shards that take any object;
 * for that, neither pinned objects move nor those of cordoned shards.
 */
export class Stability implements Rule {
  readonly #shards = new Shards();
  readonly #mains = new Map<string, Main>();
  readonly #controlled = new Map<string, string | undefined>();
  #step: StepEvent | undefined;

  observe(event: ObservedEvent): Violation[] {
    this.#shards.observe(event);
    switch (event.kind) {
      case 'object':
        return event.resource === 'secrets' ? this.#main(event) : this.#controlledObject(event);
      case 'object-gone':
        this.#mains.delete(event.uid);
        this.#controlled.delete(event.uid);
        return [];
      case 'step-begin':
        this.#step = event;
        for (const main of this.#mains.values()) {
          main.origin = main.shard;
          main.given = [];
        }
        return [];
      case 'step-end': {
        this.#step = undefined;
        return event.moves === 'needed' ? this.#judge(event) : [];
      }
      default:
        return [];
    }
  }

  #main(event: ObjectSeen): Violation[] {
    const { uid, object, shard, drain, pin } = event;
    const main = this.#mains.get(uid);
    if (main === undefined) {
      const given = shard === undefined ? [] : [shard];
      this.#mains.set(uid, { object, shard, drain, pin, origin: undefined, given });
      return [];
    }
    const before = { ...main };
    Object.assign(main, { shard, drain, pin });
    if (shard !== undefined && shard !== (main.given.at(-1) ?? main.origin)) main.given.push(shard);
    // A first label isn't a change.
    const changed = before.shard !== undefined && shard !== before.shard;
    const drained = drain !== undefined && drain !== before.drain;
    if (!changed && !drained) return [];
    return this.#changed(event, before.shard, drained ? ` and is asked to go to ${drain || 'nobody'}` : '');
  }

  #controlledObject(event: ObjectSeen): Violation[] {
    const before = this.#controlled.get(event.uid);
    this.#controlled.set(event.uid, event.shard);
    return before === undefined || before === event.shard ? [] : this.#changed(event, before, '');
  }

  #changed({ at, object, shard }: ObjectSeen, from: string | undefined, more: string): Violation[] {
    if (this.#step?.moves !== 'nothing') return [];
    const message =
      `the label changed in the step "${this.#step.step}", in which nothing may move: ` +
      `from ${from ?? 'no shard'} to ${shard ?? 'no shard'}${more}`;
    return [{ rule: 'stability', at, object, message }];
  }

  #judge({ at, step }: StepEvent): Violation[] {
    // Loads as they are when what had to move has moved, and nothing else.
    const loads = new Map<string, LoadedShard & { fixed: number }>();
    for (const { name, wishes } of this.#shards.usable()) {
      loads.set(name, { name, weight: wishes.weight, load: 0, fixed: 0 });
    }
    const violations: Violation[] = [];
    let moves = 0;
    let example: string | undefined;
    for (const main of this.#mains.values()) {
      const { home, needless, pinned } = this.#placeOf(main);
      const load = home === undefined ? undefined : loads.get(home);
      if (load !== undefined) {
        load.load++;
        if (pinned) load.fixed++;
      }
      if (needless <= 0) continue;
      if (pinned || load === undefined) {
        const why = pinned ? `it is pinned to ${home}` : `${home ?? 'its shard'} isn't levelled`;
        const message = `moved ${needless} times more than needed in the step "${step}", although ${why}`;
        violations.push({ rule: 'stability', at, object: main.object, message });
      } else {
        moves += needless;
        example ??= main.object;
      }
    }
    const shards = [...loads.values()];
    const needed = movesToLevel(shards);
    if (moves <= needed) return violations;
    const list = shards.map(({ name, load }) => `${name} ${load}`).join(', ');
    const message =
      `${moves} objects of live shards moved in the step "${step}", ` +
      `but its loads (${list}) need no more than ${needed} moves`;
    return [...violations, { rule: 'stability', at, object: example, message }];
  }

  /** Where an object belongs before levelling, and how often it was moved without being needed there. */
  #placeOf({ origin, given, pin }: Main): { home: string | undefined; needless: number; pinned: boolean } {
    // A shard that can be pinned to keeps what it has, too.
    const keeps = (shard: string | undefined): boolean =>
      shard !== undefined && this.#shards.isPinnable(shard);
    const places = [origin, ...given];
    const at = places.findIndex(keeps);
    const pinned = keeps(pin);
    const home = pinned ? pin : places[at];
    if (at < 0) return { home, needless: 0, pinned };
    return { home, needless: given.length - at - (home === places[at] ? 0 : 1), pinned };
  }
}
