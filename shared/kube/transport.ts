import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { yieldToEventLoop } from '../runtime/event-loop.ts';
import { errorOfResponse } from './api-status.ts';
import { connectionError } from './connection-error.ts';
import { ConnectionPool } from './connection-pool.ts';
import { CredentialSource, type Credentials } from './credentials.ts';
import { Deadline } from './deadline.ts';
import { ApiError, TransportError } from './errors.ts';
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
  /** Deadline of the whole request, waiting for a connection included; default 10,000. */
  timeoutMs?: number | undefined;
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
  /** Called once the API server has accepted it. */
  onOpen?: (() => void) | undefined;
}

export interface TransportResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface TransportMetrics {
  /** Called once for each request; a stream is measured until it is accepted or refused. */
  onRequest?(method: string, status: number | 'error', durationMs: number): void;
}

export interface TransportOptions {
  /** Requests on the way at once, streams not counted; default 256. */
  maxConnections?: number | undefined;
  clock?: Clock | undefined;
  metrics?: TransportMetrics | undefined;
}

const defaultTimeoutMs = 10_000;
const openTimeoutMs = 30_000;

/**
 * All requests of a process to one API server: HTTP/1.1 over kept-alive connections, with the KubeConfig's credentials.
 * Errors: ApiError for an answer of 4xx or 5xx; TransportError KUBE_TIMEOUT, KUBE_CONNECTION or KUBE_CONFIG for none;
 * the signal's own reason when the caller aborted.
 */
export class Transport {
  readonly #server: string;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #pool: ConnectionPool;
  readonly #credentials: CredentialSource;
  readonly #slots: RequestSlots;
  readonly #clock: Clock;
  readonly #metrics: TransportMetrics;

  constructor(kubeConfig: KubeConfig, options: TransportOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics ?? {};
    this.#pool = new ConnectionPool(kubeConfig);
    this.#credentials = new CredentialSource(kubeConfig, this.#clock);
    this.#slots = new RequestSlots(options.maxConnections ?? 256);
    this.#server = kubeConfig.getCurrentCluster()?.server ?? '';
    const url = new URL(this.#server);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/$/, '');
  }

  /** The API server's URL, for messages. */
  get server(): string {
    return this.#server;
  }

  /** TLS (or, without TLS, TCP) connections opened so far. */
  get connectionsOpened(): number {
    return this.#pool.opened;
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const deadline = new Deadline(timeoutMs, request.signal, this.#clock, this.#server);
    const endsAt = this.#clock.monotonic() + timeoutMs;
    return this.#measured(request.method, deadline, async () => {
      const credentials = await deadline.race(this.#credentials.current());
      await this.#slots.acquire(deadline.signal);
      try {
        deadline.sending();
        // The server counts from when the request arrives, so it is told what is left after waiting for a slot.
        const leftMs = Math.max(1, Math.floor(endsAt - this.#clock.monotonic()));
        const query = request.noServerTimeout ? request.query : { ...request.query, timeout: `${leftMs}ms` };
        const response = await this.#send({ ...request, query }, credentials, deadline.signal);
        return { status: response.statusCode, headers: response.headers, body: await response.body.text() };
      } finally {
        // undici takes a connection back a turn of the event loop after its answer; a request that came sooner would
        // open another one.
        await yieldToEventLoop();
        this.#slots.release();
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
    const deadline = new Deadline(request.timeoutMs ?? openTimeoutMs, signal, this.#clock, this.#server);
    const closing = new AbortController();
    const close = (): void => closing.abort(signal.reason);
    try {
      const response = await this.#measured('WATCH', deadline, async () => {
        const credentials = await deadline.race(this.#credentials.current());
        deadline.sending();
        // The deadline is one for the response's head; the body ends with the caller's signal.
        deadline.signal.addEventListener('abort', () => closing.abort(deadline.signal.reason), {
          once: true,
        });
        const opened = await this.#send({ ...request, method: 'GET' }, credentials, closing.signal);
        return { status: opened.statusCode, body: opened.body };
      });
      signal.throwIfAborted();
      signal.addEventListener('abort', close, { once: true });
      request.onOpen?.();
      const chunks: AsyncIterable<Uint8Array> = response.body;
      yield* chunks;
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ApiError || error instanceof TransportError
        ? error
        : connectionError(this.#server, error);
    } finally {
      signal.removeEventListener('abort', close);
      closing.abort();
    }
  }

  /** Ends all connections; requests on the way fail. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** Sends, and throws ApiError for an answer of 4xx or 5xx. */
  async #send(
    request: TransportRequest,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const response = await this.#pool.agentFor(credentials).request({
      origin: this.#origin,
      path: this.#basePath + request.path + queryString(request.query),
      method: request.method,
      headers: {
        accept: 'application/json',
        'user-agent': 'controller-sharding',
        ...(request.body === undefined ? undefined : { 'content-type': 'application/json' }),
        ...request.headers,
        ...credentials.headers,
      },
      body: request.body ?? null,
      // Else undici closes the connection after a DELETE that has a body.
      reset: false,
      signal,
    });
    const { statusCode: status } = response;
    if (status < 400) return response;
    if (status === 401) this.#credentials.refused(credentials);
    const retryAfter = response.headers['retry-after'];
    const text = await response.body.text();
    throw errorOfResponse(status, typeof retryAfter === 'string' ? retryAfter : undefined, text);
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
      const known = deadline.errorOf(error) ?? connectionError(this.#server, error);
      if (known instanceof ApiError) status = known.status;
      throw known;
    } finally {
      deadline.clear();
      this.#metrics.onRequest?.(method, status, this.#clock.monotonic() - startedAt);
    }
  }
}

function queryString(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
