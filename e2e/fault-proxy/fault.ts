import type { ProxiedRequest } from './proxied-request.ts';

/**
 * A place in the exchange of a request and its answer. `request`: the API server hasn't seen the request. `answer`: it
 * has done what it was asked, and nothing of its answer has been passed on. `head`: the answer's head has. Else: that
 * much of the body has, in bytes, or in whole lines and then bytes of the next.
 */
export type Place = 'request' | 'answer' | 'head' | { bytes: number } | { lines: number; bytes?: number };

/** What goes wrong with one exchange. */
export type Fault =
  /** `reset`: by TCP RST; `stall`: nothing more comes, the connection stays; `end`: in good order, but too early. */
  | { kind: 'reset' | 'stall' | 'end'; at: Place }
  /** Text that the API server never sent; its own goes on afterwards. */
  | { kind: 'insert'; at: Exclude<Place, 'request' | 'answer'>; text: string }
  | { kind: 'slow'; bytesPerSecond: number }
  /** Each byte comes, but the first 3,000 in pieces of that many. */
  | { kind: 'split'; pieceBytes: number }
  /** An answer of the proxy's own; the API server never sees the request. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string };

export interface FaultRule {
  when: (request: ProxiedRequest) => boolean;
  /** To how many requests it happens; default 1. */
  times?: number | undefined;
  fault: Fault;
}

/** A rule in force. */
export class ArmedFault {
  readonly fault: Fault;
  readonly #when: (request: ProxiedRequest) => boolean;
  readonly #times: number;
  #left: number;
  #acted = 0;

  constructor({ when, times = 1, fault }: FaultRule) {
    this.fault = fault;
    this.#when = when;
    this.#times = times;
    this.#left = times;
  }

  /** How often it has happened: an answer that ends before the place of the fault doesn't count. */
  get acted(): number {
    return this.#acted;
  }

  /** It has happened as often as it should; if that is without end: once. */
  get over(): boolean {
    return this.#acted >= (this.#times === Number.POSITIVE_INFINITY ? 1 : this.#times);
  }

  /** It happens to no further request. */
  disarm(): void {
    this.#left = 0;
  }

  /** Whether it is to happen to this request; counts. */
  takes(request: ProxiedRequest): boolean {
    if (this.#left <= 0 || !this.#when(request)) return false;
    this.#left -= 1;
    return true;
  }

  /** It happened. */
  act(): void {
    this.#acted += 1;
  }
}
