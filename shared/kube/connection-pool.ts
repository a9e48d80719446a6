import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Credentials } from './credentials.ts';
import { TransportError } from './errors.ts';
import type { Cluster, KubeConfig } from './kube-config.ts';
import type { TlsMaterial } from './tls-files.ts';

/** How long an idle connection is kept: shorter than the API server does (90 s), so that it is not ours that breaks. */
const idleMs = 60_000;
const connectTimeoutMs = 10_000;
/** With Node's ten probes a second apart, a connection whose other end has vanished is noticed after 25 s. */
const keepAliveProbeAfterMs = 15_000;

/** Of a proxy; undici's support of others is an experiment. */
const proxyProtocols = new Set(['http:', 'https:']);

type TlsOptions = NonNullable<ProxyAgent.Options['requestTls']>;

/** The one undici Agent of a Transport, replaced when a certificate or key changes. */
export class ConnectionPool {
  readonly #cluster: Cluster;
  readonly #tls: TlsOptions;
  #material: TlsMaterial;
  #certificate: Credentials['certificate'];
  #agent: Dispatcher;
  /** Of the Agent, and of replaced ones with requests under way: an Agent that is closing knows its pools no more. */
  readonly #pools = new Map<Dispatcher, Pool[]>();
  #opened = 0;

  /** Throws TransportError KUBE_CONFIG when there is no cluster, or its proxy cannot be used. */
  constructor(kubeConfig: KubeConfig, material: TlsMaterial) {
    const { cluster } = kubeConfig;
    this.#cluster = cluster;
    this.#tls = {
      ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
      ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    };
    checkProxy(cluster);
    this.#material = material;
    this.#agent = this.#open();
  }

  /** Connections opened so far, over all Agents. */
  get opened(): number {
    return this.#opened;
  }

  /**
   * The Agent for requests with these, the same one until their content changes. One that is replaced ends when its
   * last request has; a watch goes on until it ends by itself.
   */
  agentFor({ certificate }: Credentials, material: TlsMaterial): Dispatcher {
    const known = this.#certificate;
    const changed =
      material !== this.#material || certificate?.cert !== known?.cert || certificate?.key !== known?.key;
    if (!changed) return this.#agent;
    this.#end(this.#agent);
    this.#material = material;
    this.#certificate = certificate;
    this.#agent = this.#open();
    return this.#agent;
  }

  async destroy(): Promise<void> {
    const pools = [...this.#pools.values()].flat();
    await Promise.all([this.#agent, ...pools].map((dispatcher) => dispatcher.destroy()));
  }

  #end(agent: Dispatcher): void {
    const ended = (): boolean => this.#pools.delete(agent);
    agent.close().then(ended, ended); // its requests tell their own errors
  }

  #open(): Dispatcher {
    const tls: TlsOptions = { ...this.#tls, ...this.#material, ...this.#certificate };
    const pools: Pool[] = [];
    const opened = (): void => {
      this.#opened += 1;
    };
    const options: Agent.Options = {
      allowH2: false, // one connection for all would put every watch and request behind each other
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      headersTimeout: 0, // requests have deadlines of their own, watches a silence timer
      bodyTimeout: 0,
      // A ProxyAgent doesn't tell of its connections, the pool inside does.
      factory(origin, poolOptions) {
        const pool = new Pool(origin, poolOptions);
        pools.push(pool);
        return pool.on('connect', opened);
      },
    };
    const connect = { timeout: connectTimeoutMs, keepAliveInitialDelay: keepAliveProbeAfterMs };
    const proxy = this.#cluster.proxyUrl;
    const agent = proxy
      ? new ProxyAgent({ ...options, uri: proxy, requestTls: { ...tls, ...connect }, proxyTls: connect })
      : new Agent({ ...options, connect: { ...tls, ...connect } });
    this.#pools.set(agent, pools);
    return agent;
  }
}

/** The message leaves the URL out, which may hold a password. */
/** The message leaves the URL out, which may hold a password. */
function checkProxy({ name, proxyUrl }: Cluster): void {
  if (!proxyUrl || (URL.canParse(proxyUrl) && proxyProtocols.has(new URL(proxyUrl).protocol))) return;
  const known = [...proxyProtocols].map((protocol) => `${protocol}//`).join(' or ');
  throw new TransportError('KUBE_CONFIG', `the proxy-url of cluster "${name}" must begin with ${known}`);
}
