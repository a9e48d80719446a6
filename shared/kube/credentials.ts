import { readFile } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { messageOf, TransportError } from './errors.ts';
import { type ExecCredential, runExecPlugin } from './exec-plugin.ts';
import type { KubeConfig } from './kube-config.ts';

/** What a request shows to the API server to say who asks. */
export interface Credentials {
  headers: Readonly<Record<string, string>>;
  /** Client certificate that an exec plugin returned; part of the TLS connection, not of the request. */
  certificate?: { cert: string; key: string } | undefined;
}

/** How long a token read from a file is used before the file is looked at again; kubelets rotate well ahead. */
const tokenFileAgeMs = 10_000;
/** An exec plugin is asked again this long before its credential expires. */
const expiryMarginMs = 10_000;
/** How long credentials that could not be renewed are used before the next try. */
const retryMs = 10_000;

interface Cached {
  credentials: Credentials;
  /** On the monotonic clock; undefined: never. */
  staleAt: number | undefined;
}

/** The present credentials of a KubeConfig's user; renewed when they go stale, concurrent callers share one renewal. */
export class CredentialSource {
  readonly #kubeConfig: KubeConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What was told of the renewals that have failed since the last one that did not. */
  #told: string | undefined;
  #cached: Cached | undefined;
  #renewal: Promise<Credentials> | undefined;

  constructor(kubeConfig: KubeConfig, clock: Clock, logger: Logger = silentLogger) {
    this.#kubeConfig = kubeConfig;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Undefined when they have to be renewed. */
  get fresh(): Credentials | undefined {
    const cached = this.#cached;
    const usable = cached && (cached.staleAt === undefined || this.#clock.monotonic() < cached.staleAt);
    return usable ? cached.credentials : undefined;
  }

  /** Throws TransportError KUBE_CONFIG when there is no way to get them. */
  async current(): Promise<Credentials> {
    if (this.fresh) return this.fresh;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** The API server refused `credentials`: the next request brings new ones, if there can be new ones. */
  refused(credentials: Credentials): void {
    if (this.#cached?.credentials === credentials && this.#cached.staleAt !== undefined) {
      this.#cached = undefined;
    }
  }

  /** What cannot be renewed goes on until the API server refuses it: the file may be about to be replaced. */
  async #renew(): Promise<Credentials> {
    const former = this.#cached;
    try {
      this.#cached = await this.#load();
      this.#told = undefined;
    } catch (error) {
      if (former === undefined || this.#cached !== former) throw error;
      this.#cached = { ...former, staleAt: this.#clock.monotonic() + retryMs };
      this.#tell(messageOf(error));
    }
    return this.#cached.credentials;
  }

  /** Once for each reason: it is tried again every few seconds. */
  #tell(reason: string): void {
    if (reason === this.#told) return;
    this.#told = reason;
    this.#logger.warn(
      { reason },
      'credentials cannot be renewed: the former ones are used until the API server refuses them',
    );
  }

  async #load(): Promise<Cached> {
    const { cluster, user } = this.#kubeConfig;
    const now = this.#clock.monotonic();
    const headers: Record<string, string> = {};
    if (user?.impersonateUser) headers['impersonate-user'] = user.impersonateUser;

    if (user?.exec) {
      const credential = await runExecPlugin(user.exec, cluster);
      if (credential.token) headers.authorization = `Bearer ${credential.token}`;
      return {
        credentials: { headers, certificate: credential.certificate },
        staleAt: this.#expiryOf(credential, now),
      };
    }
    if (user?.tokenFile !== undefined) {
      headers.authorization = `Bearer ${await readToken(user.tokenFile)}`;
      return { credentials: { headers }, staleAt: now + tokenFileAgeMs };
    }
    if (user?.authProvider) {
      throw new TransportError(
        'KUBE_CONFIG',
        `user "${user.name}": auth-provider "${user.authProvider}" is not supported, use an exec plugin`,
      );
    }
    if (user?.token) headers.authorization = `Bearer ${user.token.trim()}`;
    else if (user?.username) {
      const pair = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
      headers.authorization = `Basic ${pair}`;
    }
    return { credentials: { headers }, staleAt: undefined };
  }

  #expiryOf(credential: ExecCredential, now: number): number {
    if (credential.expiresAt === undefined) return Number.POSITIVE_INFINITY;
    // The plugin speaks of the time of day; from here on only the monotonic clock counts.
    const lifetimeMs = credential.expiresAt.getTime() - this.#clock.now().getTime();
    return now + Math.max(1_000, lifetimeMs - expiryMarginMs);
  }
}

async function readToken(file: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new TransportError('KUBE_CONFIG', `cannot read the token file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (token === '') throw new TransportError('KUBE_CONFIG', `the token file ${file} is empty`);
  return token;
}
