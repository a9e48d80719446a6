import type {
  HandOverTraced,
  LeaseSeen,
  MovesExpected,
  ObjectSeen,
  ObservedEvent,
  ProcessEvent,
  ReconcileTraced,
  ShardWishes,
  StepEvent,
  WriteTraced,
} from './events.ts';
import type { Rule, Violation } from './rules/rule.ts';

/** Histories made by hand, for the tests of the rules. Shard `a` has pid 1, `b` 2, `c` 3, and so on. */

export const pidOf = (shard: string): number => shard.charCodeAt(0) - 96;

/** Secret `uid` is seen with this label. */
export const secret = (
  at: number,
  uid: string,
  shard?: string,
  resourceVersion = at,
  drain?: string,
): ObjectSeen => ({
  kind: 'object',
  at,
  resource: 'secrets',
  object: `test/${uid}`,
  uid,
  resourceVersion: String(resourceVersion),
  shard,
  drain,
  pin: undefined,
  owner: undefined,
});

/** Secret `uid` is seen with this label and pin. */
export const pinned = (at: number, uid: string, shard: string, pin: string, drain?: string): ObjectSeen => ({
  ...secret(at, uid, shard, at, drain),
  pin,
});

/** The ConfigMap of Secret `owner` is seen with this label. */
export const configMap = (at: number, owner: string, shard?: string, resourceVersion = at): ObjectSeen => ({
  ...secret(at, `${owner}-child`, shard, resourceVersion),
  resource: 'configmaps',
  object: `test/checksums-${owner}`,
  owner,
});

export const work = (edge: 'begin' | 'end', at: number, shard: string, uid: string): ReconcileTraced => ({
  kind: `reconcile-${edge}`,
  at,
  shard,
  pid: pidOf(shard),
  object: `test/${uid}`,
  uid,
});

export const writes = (at: number, shard: string, owner: string, resourceVersion?: number): WriteTraced => ({
  kind: resourceVersion === undefined ? 'write-begin' : 'write-end',
  at,
  shard,
  pid: pidOf(shard),
  verb: 'patch',
  resource: 'configmaps',
  object: `test/checksums-${owner}`,
  owner,
  resourceVersion: resourceVersion === undefined ? undefined : String(resourceVersion),
});

export const handedOver = (
  at: number,
  shard: string,
  uid: string,
  resourceVersion: number,
): HandOverTraced => ({
  kind: 'hand-over-end',
  at,
  shard,
  pid: pidOf(shard),
  object: `test/${uid}`,
  uid,
  outcome: 'handed-over',
  resourceVersion: String(resourceVersion),
});

export const lease = (at: number, shard: string, holder: string | undefined = shard): LeaseSeen => ({
  kind: 'lease',
  at,
  shard,
  holder,
  state: 'ready',
  resourceVersion: String(at),
  wishes: { weight: 1, cordoned: false, draining: false },
});

/** A shard that holds its Lease, on which a user wrote these wishes. */
export const wished = (at: number, shard: string, wishes: Partial<ShardWishes>): LeaseSeen => {
  const seen = lease(at, shard);
  return { ...seen, wishes: { ...seen.wishes, ...wishes } };
};

export const replica = (
  at: number,
  name: string,
  state: ProcessEvent['state'],
  cause?: ProcessEvent['cause'],
): ProcessEvent => ({
  kind: 'process',
  at,
  role: 'replica',
  name,
  pid: pidOf(name),
  state,
  forGood: state === 'ended',
  cause,
});

export const step = (edge: 'begin' | 'end', at: number, moves: MovesExpected): StepEvent => ({
  kind: `step-${edge}`,
  at,
  step: 'test',
  moves,
});

export const time = (at: number): ObservedEvent => ({ kind: 'time', at });

/** Everything that the rule says about a history; `time` events are added every 100 ms and 10 s past its end. */
export function judge(rule: Rule, history: readonly ObservedEvent[]): Violation[] {
  const violations: Violation[] = [];
  let now = 0;
  for (const event of history) {
    for (; now + 100 < event.at; now += 100) violations.push(...rule.observe(time(now)));
    violations.push(...rule.observe(event));
  }
  const end = now + 10_000;
  for (; now < end; now += 100) violations.push(...rule.observe(time(now)));
  return violations;
}
