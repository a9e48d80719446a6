import type { ObservedEvent } from '../events.ts';
import type { Rule, Violation } from './rule.ts';

/** A user's request never fails because of the sharder. */
export class Availability implements Rule {
  observe(event: ObservedEvent): Violation[] {
    if (event.kind !== 'create' || event.error === undefined) return [];
    const message = `the Secret could not be created: ${event.error}`;
    return [{ rule: 'availability', at: event.at, object: event.object, message }];
  }
}
