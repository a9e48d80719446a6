import type { Patch } from '../kube/api-client.ts';
import { TransportError } from '../kube/errors.ts';
import type { Clock } from '../runtime/clock.ts';

export interface ApiRequest {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** `secrets`, `leases.coordination.k8s.io`, with `/status` for that subresource. */
  resource: string;
  /** `namespace/name`; of lists and watches the namespace, or ''. */
  object: string;
  user: string;
  labelSelector?: string | undefined;
  patch?: Patch | undefined;
  timeoutMs?: number | undefined;
  /** Monotonic ms. */
  at: number;
}

/** What happens to a request on its way. */
export interface Fault {
  on(request: ApiRequest): boolean;
  /** How many requests it hits. Default 1. */
  times?: number;
  /** Called first: what happens between the sender's decision and the request's arrival. */
  meanwhile?(request: ApiRequest): void;
  /** How long the request takes to arrive. Past its deadline it never does, and ends with KUBE_TIMEOUT. */
  delayMs?: number;
  /** What the sender gets instead of an answer. */
  error?: Error;
  /** How long the answer takes, after the request took effect. */
  answerMs?: number;
  /** The request takes effect, and only its answer is lost. Default: it has none. */
  effect?: boolean;
}

export const timeoutError = (): Error => new TransportError('KUBE_TIMEOUT', 'no answer in time');
export const connectionError = (): Error => new TransportError('KUBE_CONNECTION', 'connection reset');

const defaultTimeoutMs = 10_000;

/** Lets requests through to what they ask for, except for those that a fault hits. */
export class ApiFaults {
  readonly #clock: Clock;
  readonly #faults = new Set<{ fault: Fault; left: number }>();
  /** While set, no request reaches the API server. */
  down: Error | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns what removes it. Of several faults that hit a request the first counts. */
  add(fault: Fault): () => void {
    const entry = { fault, left: fault.times ?? 1 };
    this.#faults.add(entry);
    return () => void this.#faults.delete(entry);
  }

  /** `latencyMs`: how long the request takes to arrive without a fault that says otherwise. */
  async pass<T>(
    request: ApiRequest,
    latencyMs: number,
    signal: AbortSignal | undefined,
    effect: () => T | Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    await Promise.resolve();
    const fault = this.#hit(request);
    fault?.meanwhile?.(request);
    const { delayMs = latencyMs, answerMs = 0 } = fault ?? {};
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    if (delayMs > 0) await this.#clock.sleep(Math.min(delayMs, timeoutMs), signal);
    if (delayMs >= timeoutMs) throw timeoutError();
    if (this.down) throw this.down;
    if (fault?.error && !fault.effect) throw fault.error;
    const result = await effect();
    if (answerMs > 0) await this.#clock.sleep(Math.min(answerMs, timeoutMs - delayMs), signal);
    if (delayMs + answerMs >= timeoutMs) throw timeoutError();
    if (fault?.error) throw fault.error;
    return result;
  }

  #hit(request: ApiRequest): Fault | undefined {
    for (const entry of this.#faults) {
      if (!entry.fault.on(request)) continue;
      entry.left -= 1;
      if (entry.left <= 0) this.#faults.delete(entry);
      return entry.fault;
    }
    return undefined;
  }
}
