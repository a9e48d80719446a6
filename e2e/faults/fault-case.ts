import type { FaultRule } from '../fault-proxy/fault.ts';
import type { FaultProxy } from '../fault-proxy/fault-proxy.ts';
import type { ProxiedRequest, RequestKind } from '../fault-proxy/proxied-request.ts';
import type { AcceleratedClock } from './accelerated-clock.ts';

/** What a case may get at while its fault is on. */
export interface CaseContext {
  proxy: FaultProxy;
  clock: AcceleratedClock;
  /** Gives the client another token from now on. */
  setToken: (token: string) => Promise<void>;
}

/** An informer, what goes wrong between it and the API server, and what that may cost. */
export interface FaultCase {
  name: string;
  /** In force before the informer starts. */
  rules?: FaultRule[];
  /** Instead of until each rule has happened as often as it says: how long the rules are in force, in real ms. */
  forMs?: number;
  /** Called once the informer has its first list; its end is the end of the fault. */
  act?: (context: CaseContext) => Promise<void>;
  /** How much faster than real time the informer lives; default 10. */
  speed?: number;
  /** WatchList is refused, and lists come in pages of two. */
  paged?: boolean;
  /** The most requests of each kind that the informer may send, over all; default of each: 0, pages: twice the lists. */
  most: Partial<Record<RequestKind, number>>;
}

export const on =
  (...kinds: RequestKind[]) =>
  ({ kind }: ProxiedRequest): boolean =>
    kinds.includes(kind);

const json = { 'content-type': 'application/json' };

const statusBody = (code: number, reason: string): string =>
  JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: `on purpose: ${reason}`,
  });

/** The API server says no, in its own words. */
export const refusal = (code: number, reason: string, headers: Record<string, string> = {}) => ({
  kind: 'answer' as const,
  status: code,
  headers: { ...json, ...headers },
  body: statusBody(code, reason),
});

/** A success, but what an answer says is up to the test. */
export const success = (body: string) => ({ kind: 'answer' as const, status: 200, headers: json, body });

/** A line with an ERROR event. */
export const errorEvent = (code: number, reason: string): string =>
  `{"type":"ERROR","object":${statusBody(code, reason)}}\n`;

export const forever = Number.POSITIVE_INFINITY;
