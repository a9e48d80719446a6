import { TokenBucket } from '../queue/token-bucket.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { yieldToEventLoop } from '../runtime/event-loop.ts';
import type { Logger } from '../runtime/logger.ts';
import { AuthorizedSender } from './authorized-sender.ts';
import { connectionError } from './connection-error.ts';
import { Deadline } from './deadline.ts';
import { ApiError, TransportError } from './errors.ts';
import type { HttpResponse } from './http-response.ts';
import type { KubeConfig } from './kube-config.ts';
import { retryDelayMs } from './request-retry.ts';
import { RequestSlots } from './request-slots.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the server's URL, already escaped: `/api/v1/namespaces/default/secrets`. */
  path: string;
  query?: Query | undefined;
  headers?: Record<string, string> | undefined;
  /** JSON text. */
  body?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Deadline of the whole request, in ms: waiting for its turn and sending it again included; default 10,000. */
  timeoutMs?: number | undefined;
  /** As in `RequestOptions`. */
  priority?: boolean | undefined;
  /** Don't tell the API server the deadline: for paths that don't know the `timeout` parameter. */
  noServerTimeout?: boolean | undefined;
}

export interface StreamRequest {
  path: string;
  query?: Query | undefined;
  headers?: Record<string, string> | undefined;
  signal: AbortSignal;
  /** Time until the API server must have accepted the watch; default 30,000. */
  timeoutMs?: number | undefined;
  /** Called once the API server has accepted it, with the content type of what is to come. */
  onOpen?: ((contentType: string) => void) | undefined;
}

export interface TransportResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** An answer that is read while it comes. */
export interface StreamedResponse {
  contentType: string;
  /** Each is valid until the next one is asked for. */
  pieces: AsyncIterable<Uint8Array>;
}

export interface TransportMetrics {
  /** Called once for each request when it has ended; a stream is measured until it is accepted or refused. */
  onRequest?(method: string, status: number | 'error', durationMs: number): void;
  /** Called for each answer after which the request is sent again. */
  onRetry?(method: string, status: number): void;
  /** Called with the time that a request waited for the rate limit; never without one. */
  onThrottled?(method: string, waitedMs: number): void;
}

export interface TransportOptions {
  /** Requests on the way at once, streams and what has priority not counted; default 256. */
  maxConnections?: number | undefined;
  /**
   * Requests per second, on average; streams and what has priority not counted. Default: no limit, since the API
   * server's priority and fairness knows better what it can bear.
   */
  qps?: number | undefined;
  /** Requests at once after a pause, if there is a `qps`; default 1.5 × qps. */
  burst?: number | undefined;
  /** `name/version` of the program; the API server takes the name for the field manager. Default `controller-sharding`. */
  userAgent?: string | undefined;
  clock?: Clock | undefined;
  metrics?: TransportMetrics | undefined;
  /** Is told of what goes on all the same: TLS files and credentials that can't be used or renewed any more. */
  logger?: Logger | undefined;
}

const defaultTimeoutMs = 10_000;
const openTimeoutMs = 30_000;
/** What has priority is little; should there be much of it, it waits for its like. */
const maxPriorityRequests = 16;

/**
 * All requests of a process to one API server: HTTP/1.1 over kept-alive connections, with the KubeConfig's credentials.
 * Errors: ApiError for an answer of 4xx or 5xx; TransportError KUBE_TIMEOUT, KUBE_CONNECTION or KUBE_CONFIG for none;
 * the signal's own reason when the caller aborted.
 */
export class Transport {
  readonly #sender: AuthorizedSender;
  readonly #slots: RequestSlots;
  readonly #prioritySlots = new RequestSlots(maxPriorityRequests);
  readonly #tokens: TokenBucket | undefined;
  readonly #clock: Clock;
  readonly #metrics: TransportMetrics;

  /**
   * Throws TransportError KUBE_CONFIG when something that the KubeConfig names cannot be used, RangeError for options
   * that make no sense.
   */
  constructor(kubeConfig: KubeConfig, options: TransportOptions = {}) {
    check(options);
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? {};
    this.#sender = new AuthorizedSender(kubeConfig, {
      clock: this.#clock,
      userAgent: options.userAgent ?? 'controller-sharding',
      logger: options.logger,
      onRenewed: (method) => this.#metrics.onRetry?.(method, 401),
    });
    this.#slots = new RequestSlots(options.maxConnections ?? 256);
    this.#tokens = tokensFor(options, this.#clock);
  }

  /** The API server's URL, for messages. */
  get server(): string {
    return this.#sender.server;
  }

  /** TLS (or, without TLS, TCP) connections opened so far. */
  get connectionsOpened(): number {
    return this.#sender.connectionsOpened;
  }

  request(request: TransportRequest): Promise<TransportResponse> {
    return this.#exchange(request, async (response) => {
      const { status, headers } = response;
      return { status, headers, body: (await response.bytes()).toString() };
    });
  }

  /** As `request`; `read` takes the answer while it comes. Where the request is repeated, it is called again. */
  async read<T>(request: TransportRequest, read: (response: StreamedResponse) => Promise<T>): Promise<T> {
    const { result } = await this.#exchange(request, async (response) => {
      const { status, contentType } = response;
      return { status, result: await read({ contentType, pieces: response.pieces() }) };
    });
    return result;
  }

  async #exchange<T extends { status: number }>(
    request: TransportRequest,
    read: (response: HttpResponse) => Promise<T>,
  ): Promise<T> {
    const { signal, priority } = request;
    const deadline = new Deadline(request.timeoutMs ?? defaultTimeoutMs, signal, this.#clock, this.server);
    const slots = priority ? this.#prioritySlots : this.#slots;
    return this.#measured(request.method, deadline, async () => {
      await slots.acquire(deadline.signal);
      try {
        return await this.#withRetries(request, deadline, read);
      } finally {
        // undici takes a connection back a turn of the event loop after its answer; a request that came sooner would
        // open another one.
        await yieldToEventLoop();
        slots.release();
      }
    });
  }

  /** As `request`, with the answer's body parsed. Throws TransportError KUBE_RESPONSE when that is not JSON. */
  async json<T>(request: TransportRequest): Promise<T> {
    const { body } = await this.request(request);
    try {
      const parsed: T = JSON.parse(body);
      return parsed;
    } catch (error) {
      throw new TransportError('KUBE_RESPONSE', `the answer for ${request.path} is not JSON`, {
        cause: error,
      });
    }
  }

  /** A response without end, as a watch's; the connection is closed when `signal` is aborted or the consumer stops. */
  async *stream(request: StreamRequest): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = request;
    const deadline = new Deadline(request.timeoutMs ?? openTimeoutMs, signal, this.#clock, this.server);
    const closing = new AbortController();
    const close = (): void => closing.abort(signal.reason);
    try {
      const response = await this.#measured('WATCH', deadline, async () => {
        // The deadline is one for the response's head; the body ends with the caller's signal.
        deadline.signal.addEventListener('abort', () => closing.abort(deadline.signal.reason), {
          once: true,
        });
        const watch = { ...request, method: 'GET', noServerTimeout: true } as const;
        return this.#sender.send(watch, deadline, closing.signal);
      });
      signal.throwIfAborted();
      signal.addEventListener('abort', close, { once: true });
      request.onOpen?.(response.contentType);
      yield* response.pieces();
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ApiError || error instanceof TransportError
        ? error
        : connectionError(this.server, error);
    } finally {
      signal.removeEventListener('abort', close);
      closing.abort();
    }
  }

  /** Ends all connections; requests on the way fail. */
  async close(): Promise<void> {
    await this.#sender.close();
  }

  /**
   * A request that the API server asks to repeat keeps its slot until then: so what waits for one doesn't run into the
   * same answer.
   */
  async #withRetries<T>(
    request: TransportRequest,
    deadline: Deadline,
    read: (response: HttpResponse) => Promise<T>,
  ): Promise<T> {
    for (let retries = 0; ; retries += 1) {
      if (this.#tokens && !request.priority) await this.#throttle(this.#tokens, request.method, deadline);
      try {
        return await read(await this.#sender.send(request, deadline, deadline.signal));
      } catch (error) {
        const delayMs = retryDelayMs(request.method, error, retries);
        if (delayMs === undefined || delayMs >= deadline.leftMs) throw error;
        if (error instanceof ApiError) this.#metrics.onRetry?.(request.method, error.status);
        await this.#clock.sleep(delayMs, deadline.signal);
      }
    }
  }

  async #throttle(tokens: TokenBucket, method: string, deadline: Deadline): Promise<void> {
    const { leftMs } = deadline;
    const waitMs = tokens.reserve(leftMs);
    this.#metrics.onThrottled?.(method, waitMs);
    if (waitMs === 0) return;
    // When no token comes in time, the deadline ends it.
    const turn = waitMs < leftMs ? this.#clock.sleep(waitMs, deadline.signal) : new Promise<never>(() => {});
    await deadline.race(turn);
  }

  async #measured<T extends { status: number }>(
    method: string,
    deadline: Deadline,
    run: () => Promise<T>,
  ): Promise<T> {
    const startedAt = this.#clock.monotonic();
    let status: number | 'error' = 'error';
    try {
      const result = await run();
      status = result.status;
      return result;
    } catch (error) {
      const known = deadline.errorOf(error) ?? connectionError(this.server, error);
      if (known instanceof ApiError) status = known.status;
      throw known;
    } finally {
      deadline.clear();
      this.#metrics.onRequest?.(method, status, this.#clock.monotonic() - startedAt);
    }
  }
}

function check({ maxConnections = 1, qps = 1, burst = 1 }: TransportOptions): void {
  if (!(Number.isInteger(maxConnections) && maxConnections >= 1))
    throw new RangeError(`maxConnections must be a whole number of at least 1, not ${maxConnections}`);
  if (!(qps > 0 && qps < Infinity)) throw new RangeError(`qps must be more than 0, not ${qps}`);
  if (!(burst >= 1)) throw new RangeError(`burst must be at least 1, not ${burst}`);
}

function tokensFor({ qps, burst }: TransportOptions, clock: Clock): TokenBucket | undefined {
  if (qps === undefined) return undefined;
  return new TokenBucket(clock, { perSecond: qps, burst: burst ?? Math.max(1, qps * 1.5) });
}
