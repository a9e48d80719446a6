import type { HandOverTraced, MachineMs, ObjectSeen, ObservedEvent, WriteTraced } from '../events.ts';
import { LabelHistory } from './label-history.ts';
import type { Rule, Violation } from './rule.ts';

/** A write is judged when the observer's watch has surely delivered what happened before it. */
const decideAfterMs = 2_000;
/** How long superseded assignments are remembered. */
const keepMs = 60_000;
const forgetEveryMs = 5_000;

/**
 * A shard writes for an object only while the object is its own. By the resourceVersion of each successful write the
 * owner's label at that moment is known exactly; by time, no write begins after the observer saw the object given away.
 */
export class ExclusiveWrites implements Rule {
  /** Histories of main objects by uid, and of controlled ones by `resource namespace/name`. */
  readonly #owners = new Map<string, LabelHistory>();
  readonly #children = new Map<string, LabelHistory>();
  #pending: (WriteTraced | HandOverTraced)[] = [];
  #watchHealthySince: MachineMs | undefined = Number.NEGATIVE_INFINITY;
  #forgottenAt: MachineMs = 0;

  observe(event: ObservedEvent): Violation[] {
    switch (event.kind) {
      case 'object':
        this.#historyOf(event).add(event);
        return [];
      case 'object-gone': {
        const history =
          event.resource === 'secrets' ? this.#owners.get(event.uid) : this.#children.get(childKey(event));
        if (history !== undefined) history.goneAt = event.at;
        return [];
      }
      case 'watch':
        if (event.resource === 'secrets') this.#watchHealthySince = event.healthy ? event.at : undefined;
        return [];
      case 'write-begin':
      case 'write-end':
      case 'hand-over-end':
        this.#pending.push(event);
        return [];
      case 'time':
        this.#forget(event.at);
        return this.#decideUntil(event.at - decideAfterMs);
      default:
        return [];
    }
  }

  #historyOf(event: ObjectSeen): LabelHistory {
    const [histories, key] =
      event.resource === 'secrets' ? [this.#owners, event.uid] : [this.#children, childKey(event)];
    let history = histories.get(key);
    // A ConfigMap of the same name that was created again has a history of its own.
    if (history === undefined || history.goneAt !== undefined) {
      history = new LabelHistory();
      histories.set(key, history);
    }
    return history;
  }

  #decideUntil(until: MachineMs): Violation[] {
    // While the watch is away, and shortly after, nobody knows what the labels were.
    if (this.#watchHealthySince === undefined || this.#watchHealthySince > until) return [];
    const due = this.#pending.filter(({ at }) => at <= until);
    if (due.length === 0) return [];
    this.#pending = this.#pending.filter(({ at }) => at > until);
    return due.flatMap((event) => this.#judge(event) ?? []);
  }

  #judge(event: WriteTraced | HandOverTraced): Violation | undefined {
    if (event.kind === 'hand-over-end') return this.#judgeHandOver(event);
    return event.kind === 'write-begin' ? this.#judgeBegin(event) : this.#judgeEnd(event);
  }

  #judgeBegin({ at, shard, owner, verb, resource, object, pid }: WriteTraced): Violation | undefined {
    const history = this.#owners.get(owner);
    const seen = history?.seenBy(at);
    if (history === undefined || seen === undefined || seen.shard === shard) return undefined;
    // The shard may have seen earlier than the observer that the object is its own now.
    if (history.seenSince(at).some((later) => later.shard === shard)) return undefined;
    return {
      rule: 'exclusive writes',
      at,
      object,
      message:
        `${shard} (pid ${pid}) began to ${verb} it (${resource}) at ${at.toFixed(1)} ms, but its owner belonged to ` +
        `${seen.shard ?? 'no shard'}, as seen at ${seen.seenAt.toFixed(1)} (resourceVersion ${seen.resourceVersion})`,
    };
  }

  #judgeEnd(write: WriteTraced): Violation | undefined {
    const { at, shard, owner, verb, resource, object, pid, resourceVersion } = write;
    if (resourceVersion === undefined) return undefined;
    const history = this.#owners.get(owner);
    const met = history?.before(resourceVersion);
    if (history === undefined || met === undefined || met.shard === shard) return undefined;
    // A write that changed nothing is answered with the resourceVersion of the last change: that of the hand-over, in
    // which the controlled object gets the new label before its owner does.
    const relabelled = this.#children.get(childKey(write))?.changedAt(resourceVersion);
    if (relabelled && history.givenAfter(resourceVersion, shard)) return undefined;
    return {
      rule: 'exclusive writes',
      at,
      object,
      message:
        `${shard} (pid ${pid}) did ${verb} it (${resource}) at resourceVersion ${resourceVersion}, when its owner belonged to ` +
        `${met.shard ?? 'no shard'} (since resourceVersion ${met.resourceVersion})`,
    };
  }

  #judgeHandOver({ at, shard, uid, object, pid, resourceVersion }: HandOverTraced): Violation | undefined {
    const history = resourceVersion === undefined ? undefined : this.#owners.get(uid);
    if (history === undefined || resourceVersion === undefined) return undefined;
    const met = history.before(resourceVersion);
    // Only a patch that this very hand-over made says something about it.
    if (!history.changedAt(resourceVersion) || met === undefined || met.shard === shard) return undefined;
    return {
      rule: 'exclusive writes',
      at,
      object,
      message:
        `${shard} (pid ${pid}) handed it over at resourceVersion ${resourceVersion}, when it belonged to ` +
        `${met.shard ?? 'no shard'} (since resourceVersion ${met.resourceVersion})`,
    };
  }

  #forget(now: MachineMs): void {
    if (now - this.#forgottenAt < forgetEveryMs) return;
    this.#forgottenAt = now;
    const before = now - keepMs;
    for (const histories of [this.#owners, this.#children]) {
      for (const [key, history] of histories) {
        if (history.goneAt !== undefined && history.goneAt < before) histories.delete(key);
        else history.forget(before);
      }
    }
  }
}

const childKey = ({ resource, object }: { resource: string; object: string }): string =>
  `${resource} ${object}`;
