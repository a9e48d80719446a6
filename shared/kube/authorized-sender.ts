import type { Dispatcher } from 'undici';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { errorOfResponse } from './api-status.ts';
import { ConnectionPool } from './connection-pool.ts';
import { CredentialSource, type Credentials } from './credentials.ts';
import type { Deadline } from './deadline.ts';
import { isUnauthorized } from './errors.ts';
import { type HttpResponse, sendRequest } from './http-response.ts';
import type { KubeConfig } from './kube-config.ts';
import { TlsFiles } from './tls-files.ts';
import type { Query, TransportRequest } from './transport.ts';

/** Who asks: the two ways in which the API server is told. */
interface Identity {
  credentials: Credentials;
  agent: Dispatcher;
}

export interface SenderOptions {
  clock: Clock;
  userAgent: string;
  logger?: Logger | undefined;
  /** Called when a request is sent again because its credentials were refused, and there are newer ones. */
  onRenewed(method: string): void;
}

/** Sends HTTP/1.1 requests over kept-alive connections to the server of a KubeConfig, as its user. */
export class AuthorizedSender {
  /** The API server's URL, for messages. */
  readonly server: string;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #pool: ConnectionPool;
  readonly #tls: TlsFiles;
  readonly #credentials: CredentialSource;
  readonly #options: SenderOptions;

  /** Throws TransportError KUBE_CONFIG when something that the KubeConfig names cannot be used. */
  constructor(kubeConfig: KubeConfig, options: SenderOptions) {
    this.#options = options;
    this.#tls = new TlsFiles(kubeConfig, options.clock, options.logger);
    this.#pool = new ConnectionPool(kubeConfig, this.#tls.latest);
    this.#credentials = new CredentialSource(kubeConfig, options.clock, options.logger);
    this.server = kubeConfig.cluster.server;
    const url = new URL(this.server);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/$/, '');
  }

  /** TLS (or, without TLS, TCP) connections opened so far. */
  get connectionsOpened(): number {
    return this.#pool.opened;
  }

  /**
   * Sends it with the present credentials; if these are refused and there are newer ones, once more with those.
   * `signal` ends the request, its answer's body included. Throws ApiError for an answer of 4xx or 5xx.
   */
  async send(request: TransportRequest, deadline: Deadline, signal: AbortSignal): Promise<HttpResponse> {
    const identity = this.#presentIdentity() ?? (await deadline.race(this.#identity()));
    deadline.sending();
    try {
      return await this.#sendAs(identity, request, deadline, signal);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      this.#credentials.refused(identity.credentials);
      this.#tls.refused();
      const renewed = await deadline.race(this.#identity());
      if (isSame(renewed, identity)) throw error;
      deadline.sending(); // renewing took its time: the process may have stood still meanwhile
      this.#options.onRenewed(request.method);
      return this.#sendAs(renewed, request, deadline, signal);
    }
  }

  /** Ends all connections; requests on the way fail. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** As `#identity`, when nothing has to be renewed: in all but a few requests. */
  #presentIdentity(): Identity | undefined {
    const { fresh: credentials } = this.#credentials;
    const { fresh: material } = this.#tls;
    return credentials && material && { credentials, agent: this.#pool.agentFor(credentials, material) };
  }

  async #identity(): Promise<Identity> {
    const [credentials, material] = await Promise.all([this.#credentials.current(), this.#tls.current()]);
    return { credentials, agent: this.#pool.agentFor(credentials, material) };
  }

  async #sendAs(
    { credentials, agent }: Identity,
    request: TransportRequest,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    // The server counts from when the request arrives, so it is told what is left.
    const query = request.noServerTimeout
      ? request.query
      : { ...request.query, timeout: `${deadline.leftMs}ms` };
    const response = await sendRequest(
      agent,
      {
        origin: this.#origin,
        path: this.#basePath + request.path + queryString(query),
        method: request.method,
        headers: {
          accept: 'application/json',
          'user-agent': this.#options.userAgent,
          ...(request.body === undefined ? undefined : { 'content-type': 'application/json' }),
          ...request.headers,
          ...credentials.headers,
        },
        body: request.body ?? null,
        // Else undici closes the connection after a DELETE that has a body.
        reset: false,
      },
      signal,
    );
    const { status } = response;
    if (status < 400) return response;
    const { 'retry-after': retryAfter } = response.headers;
    const body = await response.bytes();
    throw errorOfResponse(status, typeof retryAfter === 'string' ? retryAfter : undefined, body);
  }
}

const isSame = (a: Identity, b: Identity): boolean =>
  a.agent === b.agent && a.credentials.headers.authorization === b.credentials.headers.authorization;

function queryString(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
