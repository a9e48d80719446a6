import type { MachineMs, ObjectSeen, ObservedEvent } from '../events.ts';
import { type Rule, seconds, type Violation } from './rule.ts';

interface Main {
  shard: string | undefined;
  drain: string | undefined;
  since: MachineMs;
}

interface Controlled {
  object: string;
  owner: string;
  shard: string | undefined;
  since: MachineMs;
  reported: boolean;
}

/** How long a pair may differ while its Secret is not on the move. */
export const pairMs = 5_000;

/** A ConfigMap is on its Secret's shard whenever the Secret isn't on the move, and at the end of each step. */
export class Pairs implements Rule {
  readonly #mains = new Map<string, Main>();
  readonly #controlled = new Map<string, Controlled>();

  observe(event: ObservedEvent): Violation[] {
    switch (event.kind) {
      case 'object':
        this.#object(event);
        return [];
      case 'object-gone':
        this.#mains.delete(event.uid);
        this.#controlled.delete(event.uid);
        return [];
      case 'step-end':
        return this.#differing(event.at, 0);
      case 'time':
        return this.#differing(event.at, pairMs);
      default:
        return [];
    }
  }

  #object({ uid, object, owner, shard, drain, at }: ObjectSeen): void {
    if (owner === undefined) {
      const known = this.#mains.get(uid);
      if (known?.shard !== shard || known?.drain !== drain) this.#mains.set(uid, { shard, drain, since: at });
      return;
    }
    const known = this.#controlled.get(uid);
    if (known?.shard !== shard || known === undefined) {
      this.#controlled.set(uid, { object, owner, shard, since: at, reported: false });
    }
  }

  #differing(now: MachineMs, forMs: number): Violation[] {
    const violations: Violation[] = [];
    for (const controlled of this.#controlled.values()) {
      const main = this.#mains.get(controlled.owner);
      if (main === undefined || main.drain !== undefined || main.shard === controlled.shard) continue;
      const since = Math.max(main.since, controlled.since);
      if (controlled.reported || now - since < forMs) continue;
      controlled.reported = true;
      violations.push({
        rule: 'pairs',
        at: now,
        object: controlled.object,
        message:
          `the ConfigMap is on ${controlled.shard ?? 'no shard'} and its Secret on ${main.shard ?? 'no shard'} ` +
          `for ${seconds(now - since)}, since ${since.toFixed(1)} ms`,
      });
    }
    return violations;
  }
}
