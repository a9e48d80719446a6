import type { MachineMs, ObservedEvent } from '../events.ts';

/** A broken rule of design §9: which, when, on what, and what was seen. */
export interface Violation {
  rule:
    | 'exclusive work'
    | 'exclusive writes'
    | 'ownership'
    | 'pairs'
    | 'stability'
    | 'cordon'
    | 'availability';
  at: MachineMs;
  /** `namespace/name` of the object concerned; undefined when it concerns none in particular. */
  object: string | undefined;
  message: string;
}

/**
 * One rule, as a state machine over what was observed. It has no clock and no client: time is what the events say. Events come
 * in the order of their time, but for a few late ones, which must not make it cry wolf.
 */
export interface Rule {
  observe(event: ObservedEvent): Violation[];
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
