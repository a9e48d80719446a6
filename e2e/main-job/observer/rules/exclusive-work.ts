import type { MachineMs, ObservedEvent, ReconcileTraced } from '../events.ts';
import type { Rule, Violation } from './rule.ts';

interface Interval {
  shard: string;
  pid: number;
  object: string;
  begin: MachineMs;
  /** Undefined while it is open. */
  end: MachineMs | undefined;
}

/** How long a finished reconcile is remembered, for events that come late. */
const keepMs = 30_000;

/**
 * No two processes reconcile one object at the same time. The open reconciles of a process that died end with it.
 */
export class ExclusiveWork implements Rule {
  readonly #byUid = new Map<string, Interval[]>();

  observe(event: ObservedEvent): Violation[] {
    switch (event.kind) {
      case 'reconcile-begin':
        return this.#begin(event);
      case 'reconcile-end':
        return this.#end(event);
      case 'process':
        if (event.state === 'ended') this.#endAllOf(event.pid, event.at);
        return [];
      case 'time':
        this.#forget(event.at - keepMs);
        return [];
      default:
        return [];
    }
  }

  #begin({ uid, shard, pid, object, at }: ReconcileTraced): Violation[] {
    const intervals = this.#byUid.get(uid) ?? [];
    const mine: Interval = { shard, pid, object, begin: at, end: undefined };
    const violations = intervals
      .filter((other) => other.pid !== pid && other.begin <= at && (other.end ?? Infinity) > at)
      .map((other) => overlap(other, mine));
    intervals.push(mine);
    this.#byUid.set(uid, intervals);
    return violations;
  }

  #end({ uid, pid, at }: ReconcileTraced): Violation[] {
    const intervals = this.#byUid.get(uid) ?? [];
    const mine = intervals.findLast((interval) => interval.pid === pid && interval.end === undefined);
    if (mine === undefined) return [];
    mine.end = at;
    // Begins within mine were found as they came, unless mine was told of late.
    const behind = intervals.slice(0, intervals.indexOf(mine));
    return behind
      .filter((other) => other.pid !== pid && other.begin > mine.begin && other.begin < at)
      .map((other) => overlap(mine, other));
  }

  #endAllOf(pid: number, at: MachineMs): void {
    for (const intervals of this.#byUid.values()) {
      for (const interval of intervals) {
        if (interval.pid === pid && interval.end === undefined) interval.end = at;
      }
    }
  }

  #forget(before: MachineMs): void {
    for (const [uid, intervals] of this.#byUid) {
      const kept = intervals.filter(({ end }) => end === undefined || end > before);
      if (kept.length === 0) this.#byUid.delete(uid);
      else if (kept.length < intervals.length) this.#byUid.set(uid, kept);
    }
  }
}

function overlap(first: Interval, second: Interval): Violation {
  const until = first.end === undefined ? 'still at it' : `until ${first.end.toFixed(1)}`;
  return {
    rule: 'exclusive work',
    at: second.begin,
    object: second.object,
    message:
      `${second.shard} (pid ${second.pid}) began to reconcile it at ${second.begin.toFixed(1)} ms while ` +
      `${first.shard} (pid ${first.pid}) was at work, from ${first.begin.toFixed(1)}, ${until}`,
  };
}
