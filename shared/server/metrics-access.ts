import { createHash } from 'node:crypto';
import type { ApiClient } from '../kube/api-client.ts';
import { messageOf } from '../kube/errors.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { TokenBucket } from '../queue/token-bucket.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** Why not, as an HTTP status and a text. */
export interface Refusal {
  status: 401 | 403 | 429 | 500;
  message: string;
}

/** Who may read a path. */
export interface Access {
  /** `authorization`: the header. Undefined: the request may pass. Never rejects. */
  check(path: string, authorization: string | undefined): Promise<Refusal | undefined>;
}

export interface MetricsAccessOptions {
  client: Pick<ApiClient, 'create'>;
  clock: Clock;
  logger: Logger;
}

/** So long, a right that was taken away still works. */
const allowedForMs = 60_000;
/** So long, a right that was given doesn't work yet. */
const refusedForMs = 10_000;
const mostRemembered = 256;
/** Else whoever reaches the port could have the API server asked as often as they like. */
const reviews = { perSecond: 10, burst: 50 };
const reviewMs = 5_000;

interface UserInfo {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

interface TokenReview extends KubeObject {
  spec: { token: string };
  status?: { authenticated?: boolean; user?: UserInfo };
}

interface SubjectAccessReview extends KubeObject {
  spec: object;
  status?: { allowed?: boolean };
}

const review = (group: string, kind: string): Resource => ({
  group,
  version: 'v1',
  resource: `${kind.toLowerCase()}s`,
  kind,
  namespaced: false,
});
const tokenReviews = review('authentication.k8s.io', 'TokenReview');
const subjectAccessReviews = review('authorization.k8s.io', 'SubjectAccessReview');

/**
 * Lets pass whoever shows a token that the API server knows (TokenReview) and may `get` the path (SubjectAccessReview).
 * What the API server said is remembered: a minute when it was yes, ten seconds when it was no.
 */
export class MetricsAccess implements Access {
  readonly #options: MetricsAccessOptions;
  readonly #reviews: TokenBucket;
  /** By hash of the token; the one asked for last stands last. */
  readonly #remembered = new Map<string, { refusal: Refusal | undefined; until: number }>();
  readonly #underWay = new Map<string, Promise<Refusal | undefined>>();

  constructor(options: MetricsAccessOptions) {
    this.#options = options;
    this.#reviews = new TokenBucket(options.clock, reviews);
  }

  async check(path: string, authorization: string | undefined): Promise<Refusal | undefined> {
    const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return { status: 401, message: 'a bearer token is missing' };
    // The token itself isn't kept in memory.
    const key = createHash('sha256').update(`${path}\n${token}`).digest('base64');
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      this.#remembered.delete(key);
      if (this.#options.clock.monotonic() < known.until) {
        this.#remembered.set(key, known);
        return known.refusal;
      }
    }
    const same = this.#underWay.get(key);
    if (same !== undefined) return same;
    if (this.#reviews.reserve(1) > 0) return { status: 429, message: 'too many tokens are being reviewed' };
    const asked = this.#ask(path, token).then((refusal) => {
      this.#underWay.delete(key);
      this.#remember(key, refusal);
      return refusal;
    });
    this.#underWay.set(key, asked);
    return asked;
  }

  #remember(key: string, refusal: Refusal | undefined): void {
    if (refusal?.status === 500) return;
    const until = this.#options.clock.monotonic() + (refusal === undefined ? allowedForMs : refusedForMs);
    this.#remembered.set(key, { refusal, until });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** Never rejects. */
  async #ask(path: string, token: string): Promise<Refusal | undefined> {
    const { client, logger } = this.#options;
    const metadata = { name: '' };
    const options = { timeoutMs: reviewMs };
    let kind = 'TokenReview';
    try {
      const { status: authentication } = await client.create<TokenReview>(
        tokenReviews,
        { apiVersion: 'authentication.k8s.io/v1', kind, metadata, spec: { token } },
        options,
      );
      const user = authentication?.user;
      if (authentication?.authenticated !== true || user === undefined) {
        return { status: 401, message: 'the API server does not know the token' };
      }
      kind = 'SubjectAccessReview';
      const { username, groups, uid, extra } = user;
      const nonResourceAttributes = { path, verb: 'get' };
      const { status: authorization } = await client.create<SubjectAccessReview>(
        subjectAccessReviews,
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind,
          metadata,
          spec: { nonResourceAttributes, user: username, groups, uid, extra },
        },
        options,
      );
      if (authorization?.allowed === true) return undefined;
      return { status: 403, message: `${username} may not get ${path} (nonResourceURLs)` };
    } catch (error) {
      logger.warn(`nobody can read the metrics, ${kind} failed: ${messageOf(error)}`);
      return { status: 500, message: `${kind} failed` };
    }
  }
}
