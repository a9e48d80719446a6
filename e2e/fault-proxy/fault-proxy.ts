import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { stringify } from 'yaml';
import { CertificateAuthority } from '../harness/certificates.ts';
import { freePort } from '../harness/ports.ts';
import { ClientConnection } from './client-connection.ts';
import { Exchange } from './exchange.ts';
import { ArmedFault, type FaultRule } from './fault.ts';
import { type ProxiedRequest, proxiedRequest, type RequestKind } from './proxied-request.ts';

export interface FaultProxyOptions {
  /** Path of the kubeconfig with which the proxy reaches the API server: a client certificate that may do everything. */
  kubeconfig: string;
  /** Lists get pages of this size whatever they ask for. Default: as asked. */
  pageSize?: number | undefined;
}

interface Upstream {
  url: string;
  agent: Agent;
}

/**
 * Stands between clients and an API server, on loopback and with TLS, and lets go wrong what it is told to. Without a
 * rule it changes nothing but who asks: the API server sees the proxy's own user.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #options: FaultProxyOptions;
  readonly #upstream: Upstream;
  readonly #authority: CertificateAuthority;
  readonly #server: Server;
  readonly #port: number;
  readonly #connections = new Map<number, ClientConnection>();
  readonly #armed: ArmedFault[] = [];
  readonly #received = new Map<RequestKind, number>();
  readonly #forwarded = new Map<RequestKind, number>();

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const authority = await CertificateAuthority.create('fault-proxy-ca');
    const { certificate, key } = await authority.serving('fault-proxy', ['127.0.0.1'], ['localhost']);
    const server = createServer({ cert: certificate, key, keepAliveTimeout: 0, requestTimeout: 0 });
    const proxy = new FaultProxy(options, authority, server, await freePort());
    await proxy.accept();
    return proxy;
  }

  private constructor(
    options: FaultProxyOptions,
    authority: CertificateAuthority,
    server: Server,
    port: number,
  ) {
    this.#options = options;
    this.#upstream = upstreamOf(options.kubeconfig);
    this.#authority = authority;
    this.#port = port;
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#note(socket));
    server.on('secureConnection', (tls: TLSSocket) =>
      this.#connections.get(tls.remotePort ?? 0)?.secured(tls),
    );
    server.on('tlsClientError', () => {}); // a client that left before it had said anything
    server.on('request', (message, response) => void this.#serve(message, response));
  }

  /** The text of a kubeconfig for clients of the proxy. `user`: as in a kubeconfig; default: one without credentials. */
  kubeconfig(user: { token?: string; tokenFile?: string } = {}): string {
    const name = 'fault-proxy';
    const authority = Buffer.from(this.#authority.certificate).toString('base64');
    const cluster = { server: `https://127.0.0.1:${this.#port}`, 'certificate-authority-data': authority };
    return stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    });
  }

  /** From now on; of several rules for a request, the one armed first counts. */
  arm(rule: FaultRule): ArmedFault {
    const armed = new ArmedFault(rule);
    this.#armed.push(armed);
    return armed;
  }

  /** Requests of these kinds that clients have sent so far; without kinds: all. */
  received(...kinds: RequestKind[]): number {
    return sum(this.#received, kinds);
  }

  /** As `received`, of those that were sent on to the API server. */
  forwarded(...kinds: RequestKind[]): number {
    return sum(this.#forwarded, kinds);
  }

  /** Connections that clients have open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Breaks all connections off. */
  cut(): void {
    for (const connection of this.#connections.values()) connection.reset();
  }

  /** Breaks all connections off and refuses new ones, until `accept`. */
  async refuse(): Promise<void> {
    const open = [...this.#connections.values()].map(({ closed }) => closed);
    const closed = Promise.all([once(this.#server, 'close'), ...open]);
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Takes connections again, at the same address. */
  async accept(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#upstream.agent.destroy();
    if (this.#server.listening) await this.refuse();
    else this.cut();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #note(socket: Socket): void {
    const { remotePort: port = 0 } = socket;
    this.#connections.set(port, new ClientConnection(socket));
    socket.once('close', () => this.#connections.delete(port));
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.get(message.socket.remotePort ?? 0);
    if (!connection) return; // it broke meanwhile
    message.on('error', () => {});
    response.on('error', () => {});
    const request = proxiedRequest(message);
    count(this.#received, request.kind);
    await new Exchange({
      message,
      response,
      connection,
      upstream: this.#upstream,
      path: this.#pathOf(request),
      armed: this.#armed.find((armed) => armed.takes(request)),
      onForward: () => count(this.#forwarded, request.kind),
    }).run();
  }

  #pathOf({ kind, path, query }: ProxiedRequest): string {
    const { pageSize } = this.#options;
    const asked = new URLSearchParams(query);
    if ((kind === 'list' || kind === 'page') && pageSize !== undefined) asked.set('limit', String(pageSize));
    return `${path}?${asked.toString()}`;
  }
}

function upstreamOf(kubeconfig: string): Upstream {
  const { cluster, user } = loadKubeConfig({ kubeconfig });
  const pem = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: pem(cluster.caData),
    cert: pem(user?.certData),
    key: pem(user?.keyData),
  });
  return { url: cluster.server, agent };
}

function count(counts: Map<RequestKind, number>, kind: RequestKind): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

function sum(counts: ReadonlyMap<RequestKind, number>, kinds: RequestKind[]): number {
  const wanted = kinds.length === 0 ? [...counts.keys()] : kinds;
  return wanted.reduce((total, kind) => total + (counts.get(kind) ?? 0), 0);
}
