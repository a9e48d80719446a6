import type { ObservedEvent } from './events.ts';
import { Availability } from './rules/availability.ts';
import { Cordons } from './rules/cordons.ts';
import { ExclusiveWork } from './rules/exclusive-work.ts';
import { ExclusiveWrites } from './rules/exclusive-writes.ts';
import { Ownership, type OwnershipOptions, type Unowned } from './rules/ownership.ts';
import { Pairs } from './rules/pairs.ts';
import type { Rule, Violation } from './rules/rule.ts';
import { Stability } from './rules/stability.ts';

/** How many violations are kept; of a broken rule the first ones tell the most. */
const keepAtMost = 100;

/** All rules over one stream of events. */
export class Checker {
  readonly #ownership: Ownership;
  readonly #rules: Rule[];
  /** The first ones. */
  readonly violations: Violation[] = [];
  /** All of them. */
  violationCount = 0;
  /** What was checked, by kind of event. */
  readonly checked = { reconciles: 0, writes: 0, handOvers: 0, objects: 0 };

  constructor(options: OwnershipOptions = {}) {
    this.#ownership = new Ownership(options);
    this.#rules = [
      new ExclusiveWork(),
      new ExclusiveWrites(),
      this.#ownership,
      new Pairs(),
      new Stability(),
      new Cordons(),
      new Availability(),
    ];
  }

  observe(event: ObservedEvent): void {
    if (event.kind === 'reconcile-end') this.checked.reconciles++;
    else if (event.kind === 'write-end') this.checked.writes++;
    else if (event.kind === 'hand-over-end') this.checked.handOvers++;
    else if (event.kind === 'object') this.checked.objects++;
    for (const rule of this.#rules) {
      for (const violation of rule.observe(event)) {
        this.violationCount++;
        if (this.violations.length < keepAtMost) this.violations.push(violation);
      }
    }
  }

  /** The longest time that an object was without a live shard in the present step. */
  get longestUnowned(): Unowned | undefined {
    return this.#ownership.longest;
  }
}
