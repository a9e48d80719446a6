import { isConflict } from '../kube/errors.ts';

/** How a reconcile ended: for now, or to be called again after `afterMs` milliseconds. */
export type Outcome = { kind: 'done' } | { kind: 'later'; afterMs: number };

/** To be thrown by a reconcile that will fail again and again until its object changes: it is not tried again. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code = 'TERMINAL';
}

/** Why the signal of a reconcile was aborted at its deadline. */
export class ReconcileTimeoutError extends Error {
  override readonly name = 'ReconcileTimeoutError';
  readonly code = 'RECONCILE_TIMEOUT';
}

/** All that can become of a call of reconcile. */
export type Result =
  | Outcome
  /** The object had changed meanwhile: nothing is wrong, the next attempt sees the change. */
  | { kind: 'conflict'; error: unknown }
  | { kind: 'failed'; error: unknown }
  /** A fault of the program itself, for which Go would panic; tried again like any failure. */
  | { kind: 'panic'; error: unknown }
  | { kind: 'terminal'; error: unknown }
  | { kind: 'timeout'; error: ReconcileTimeoutError };

/** A reconcile written without types may return anything; that is a failure, not a crash. */
export function resultOf(outcome: Outcome | void): Result {
  switch (outcome?.kind) {
    case undefined:
      if (outcome === undefined) return { kind: 'done' };
      break;
    case 'done':
      return outcome;
    case 'later':
      if (Number.isFinite(outcome.afterMs) && outcome.afterMs >= 0) return outcome;
      break;
  }
  return { kind: 'panic', error: new TypeError('reconcile returned something that is not an outcome') };
}

export function resultOfError(error: unknown): Result {
  if (error instanceof TerminalError) return { kind: 'terminal', error };
  if (isConflict(error)) return { kind: 'conflict', error };
  return { kind: isProgramFault(error) ? 'panic' : 'failed', error };
}

/**
 * What the engine throws by itself (a property of undefined, an unknown name, a stack without end), or no Error at all.
 * Node's own errors of these types, such as a fetch that failed or an invalid URL, have a cause or a code.
 */
function isProgramFault(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if ('code' in error || error.cause !== undefined) return false;
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
}
