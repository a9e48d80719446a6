import type { ObjectSeen, ObservedEvent, StepEvent } from '../events.ts';
import { Shards } from '../shards.ts';
import type { Rule, Violation } from './rule.ts';
import { movesToLevel } from './shares.ts';

interface Main {
  object: string;
  shard: string | undefined;
  drain: string | undefined;
  /** The shard it had at the step's begin; undefined when it had none, or is newer. */
  origin: string | undefined;
  /** The shards it was given in this step. */
  given: string[];
}

/**
 * What must not move stays: nothing in a step that changes no membership; else the objects of shards that are gone, and
 * what levelling needs.
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
    const { uid, object, shard, drain } = event;
    const main = this.#mains.get(uid);
    if (main === undefined) {
      const given = shard === undefined ? [] : [shard];
      this.#mains.set(uid, { object, shard, drain, origin: undefined, given });
      return [];
    }
    const before = { ...main };
    Object.assign(main, { shard, drain });
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
    // Loads as they are when every object that needs a new shard has got its first one, and nothing else has moved.
    const loads = new Map(this.#shards.live().map((shard) => [shard, 0]));
    let moves = 0;
    let example: string | undefined;
    for (const main of this.#mains.values()) {
      const stays = main.origin !== undefined && loads.has(main.origin);
      const first = stays ? main.origin : main.given[0];
      if (first !== undefined && loads.has(first)) loads.set(first, (loads.get(first) ?? 0) + 1);
      const more = main.given.length - (stays ? 0 : 1);
      if (more <= 0) continue;
      moves += more;
      example ??= main.object;
    }
    const needed = movesToLevel([...loads.values()]);
    if (moves <= needed) return [];
    const list = [...loads].map(([shard, load]) => `${shard} ${load}`).join(', ');
    const message =
      `${moves} objects of live shards moved in the step "${step}", ` +
      `but its loads (${list}) need no more than ${needed} moves`;
    return [{ rule: 'stability', at, object: example, message }];
  }
}
