/** What the observer knows, as events: the one input of every rule. */

/** Milliseconds of the machine's monotonic clock: the same in every process of the machine. */
export type MachineMs = number;

export const machineMs = (): MachineMs => Number(process.hrtime.bigint()) / 1e6;

/** A Secret (main) or a ConfigMap that a Secret controls, as the observer's watch delivered it. */
export interface ObjectSeen {
  kind: 'object';
  at: MachineMs;
  resource: 'secrets' | 'configmaps';
  /** `namespace/name` */
  object: string;
  uid: string;
  resourceVersion: string;
  /** Assignment; undefined without one. */
  shard: string | undefined;
  /** Value of the drain label; undefined without one. */
  drain: string | undefined;
  /** The shard that a user wants it on; undefined without a pin. */
  pin: string | undefined;
  /** Uid of the Secret that controls it; undefined for a Secret. */
  owner: string | undefined;
}

export interface ObjectGone {
  kind: 'object-gone';
  at: MachineMs;
  resource: 'secrets' | 'configmaps';
  object: string;
  uid: string;
}

/** What a user asked for by annotations on a shard's Lease. */
export interface ShardWishes {
  /** Its part of the ring, in proportion to the others'. */
  weight: number;
  /** It gets nothing new. */
  cordoned: boolean;
  /** It gives everything away. */
  draining: boolean;
}

/** A Lease of the ring: who holds the shard's name; '' when released, undefined when the Lease was deleted. */
export interface LeaseSeen {
  kind: 'lease';
  at: MachineMs;
  shard: string;
  holder: string | undefined;
  /** What the sharder says about it (its state label). */
  state: string | undefined;
  resourceVersion: string;
  wishes: ShardWishes;
}

/** The Lease of the sharders' election; '' when nobody leads. */
export interface LeaderSeen {
  kind: 'leader';
  at: MachineMs;
  holder: string;
}

/** Name of the sharder that holds the Lease: its identity without the random part. */
export const leaderName = (holder: string): string => holder.split('_')[0] ?? '';

interface Traced {
  at: MachineMs;
  shard: string;
  pid: number;
}

export interface ReconcileTraced extends Traced {
  kind: 'reconcile-begin' | 'reconcile-end';
  object: string;
  uid: string;
}

export interface WriteTraced extends Traced {
  kind: 'write-begin' | 'write-end';
  verb: string;
  resource: string;
  object: string;
  /** Uid of the main object that it was done for. */
  owner: string;
  /** Of the result; undefined at the begin and after an error. */
  resourceVersion: string | undefined;
}

export interface HandOverTraced extends Traced {
  kind: 'hand-over-end';
  object: string;
  uid: string;
  outcome: string;
  resourceVersion: string | undefined;
}

export type TraceEvent = ReconcileTraced | WriteTraced | HandOverTraced;

/**
 * What the supervisor knows of a process. `killing`: SIGKILL is about to be sent. `ended`: the process is gone; `for
 * good` when it won't be started again.
 */
export interface ProcessEvent {
  kind: 'process';
  at: MachineMs;
  role: 'replica' | 'sharder';
  name: string;
  pid: number;
  state: 'started' | 'killing' | 'ended';
  forGood: boolean;
  cause: 'stopped' | 'killed' | 'crashed' | undefined;
}

/** How much may move in a step: nothing; what the change of membership needs; or it isn't checked. */
export type MovesExpected = 'nothing' | 'needed' | 'any';

export interface StepEvent {
  kind: 'step-begin' | 'step-end';
  at: MachineMs;
  step: string;
  moves: MovesExpected;
}

/** A user's request to create a Secret; `error` when it was refused or failed. */
export interface CreateEvent {
  kind: 'create';
  at: MachineMs;
  object: string;
  error: string | undefined;
}

/** The observer's own watch of Secrets or ConfigMaps was lost, or is back. */
export interface WatchEvent {
  kind: 'watch';
  at: MachineMs;
  resource: 'secrets' | 'configmaps';
  healthy: boolean;
}

/** Everything up to `at` has been delivered. */
export interface TimeEvent {
  kind: 'time';
  at: MachineMs;
}

export type ObservedEvent =
  | ObjectSeen
  | ObjectGone
  | LeaseSeen
  | LeaderSeen
  | TraceEvent
  | ProcessEvent
  | StepEvent
  | CreateEvent
  | WatchEvent
  | TimeEvent;
