import { readFileSync } from 'node:fs';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Credentials } from './credentials.ts';
import { messageOf, TransportError } from './errors.ts';

/** How long an idle connection is kept: shorter than the API server does (90 s), so that it is not ours that breaks. */
const idleMs = 60_000;
const connectTimeoutMs = 10_000;
/** With Node's ten probes a second apart, a connection whose other end has vanished is noticed after 25 s. */
const keepAliveProbeAfterMs = 15_000;

type TlsOptions = NonNullable<ProxyAgent.Options['requestTls']>;

/** The one undici Agent of a Transport, replaced when the client certificate changes. */
export class ConnectionPool {
  readonly #cluster: Cluster;
  readonly #tls: TlsOptions;
  #agent: Dispatcher;
  #certificate: Credentials['certificate'];
  #opened = 0;

  /** Throws TransportError KUBE_CONFIG when a certificate or key cannot be read. */
  constructor(kubeConfig: KubeConfig) {
    const cluster = kubeConfig.getCurrentCluster();
    if (!cluster) throw new TransportError('KUBE_CONFIG', 'the kubeconfig has no current cluster');
    const user = kubeConfig.getCurrentUser();
    const ca = pem(cluster.caFile, cluster.caData);
    const cert = pem(user?.certFile, user?.certData);
    const key = pem(user?.keyFile, user?.keyData);
    this.#cluster = cluster;
    this.#tls = {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
      ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    };
    this.#agent = this.#open(undefined);
  }

  /** Connections opened so far, over all Agents. */
  get opened(): number {
    return this.#opened;
  }

  /** The Agent for requests with these credentials. One that is replaced ends when its last request has. */
  agentFor(credentials: Credentials): Dispatcher {
    const { certificate } = credentials;
    if (certificate?.cert !== this.#certificate?.cert || certificate?.key !== this.#certificate?.key) {
      const replaced = this.#agent;
      this.#agent = this.#open(certificate);
      this.#certificate = certificate;
      replaced.close().catch(() => {}); // its requests tell their own errors
    }
    return this.#agent;
  }

  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }

  #open(certificate: Credentials['certificate']): Dispatcher {
    const tls: TlsOptions = { ...this.#tls, ...certificate };
    const options: Agent.Options = {
      allowH2: false, // one connection for all would put every watch and request behind each other
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      headersTimeout: 0, // requests have deadlines of their own, watches a silence timer
      bodyTimeout: 0,
    };
    const connect = { timeout: connectTimeoutMs, keepAliveInitialDelay: keepAliveProbeAfterMs };
    const proxy = this.#cluster.proxyUrl;
    const agent = proxy
      ? new ProxyAgent({ ...options, uri: proxy, requestTls: { ...tls, ...connect }, connect })
      : new Agent({ ...options, connect: { ...tls, ...connect } });
    agent.on('connect', () => {
      this.#opened += 1;
    });
    return agent;
  }
}

function pem(file: string | undefined, base64: string | undefined): Buffer | undefined {
  if (base64) return Buffer.from(base64, 'base64');
  if (!file) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TransportError('KUBE_CONFIG', `cannot read ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
