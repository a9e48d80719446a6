import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type Address, formatAddress } from '@controller-sharding/shared/runtime/address.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { CertificateAndKey } from '@controller-sharding/shared/server/issue-certificate.ts';
import { listen } from '@controller-sharding/shared/server/listen.ts';
import type { AdmissionOutcome, Decision } from './admission.ts';
import { type AdmissionRequest, allowed, parseReview } from './admission-review.ts';
import type { Decide, DecisionByRead } from './decide.ts';
import { BodyError, readJson } from './read-json.ts';
import { webhookPath } from './webhook-configuration.ts';

/** Less than what the API server waits (5 s), so that it gets an answer also when a read hangs. */
const deadlineMs = 2_000;
const timeouts = {
  /** The API server keeps idle connections for 90 s: it is to be the one that ends them, since it can't repeat a call. */
  keepAliveTimeout: 120_000,
  /** For a request to arrive as a whole. */
  requestTimeout: 10_000,
  headersTimeout: 10_000,
};

export interface WebhookObserver {
  /** One request was answered. `ring` is as the request names it, empty when it couldn't be read. */
  answered(ring: string, outcome: AdmissionOutcome, durationMs: number): void;
}

export interface WebhookServerOptions {
  address: Address;
  decide: Decide;
  clock: Clock;
  logger: Logger;
  observer?: WebhookObserver | undefined;
}

export interface WebhookServer {
  /** In use; the port is chosen if 0 was asked for. */
  readonly address: Address;
  /** For connections from now on; those that are open go on. Before the first one no connection succeeds. */
  setCertificate(pair: CertificateAndKey): void;
  /** Takes no new connections, answers the requests under way, and ends. */
  close(): Promise<void>;
}

/**
 * Serves the webhooks of all rings. Every request that can be answered is allowed within two seconds, without a patch
 * when anything is wrong; only a body that is no AdmissionReview gets 4xx. Throws ListenError.
 */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  // A framework would nearly double what a call costs.
  const server = createServer(timeouts, (request, response) => {
    void answer(options, request).then(({ status, body }) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      // Else the connection would stay open, and its end be waited for, or the rest of a body be read.
      const last = !server.listening || !request.complete;
      response.writeHead(status, last ? { ...headers, connection: 'close' } : headers);
      response.end(body);
    });
  });
  const address = await listen({ server, listen: (at) => listening(server, at) }, options.address);
  options.logger.info({ address: formatAddress(address) }, 'serving webhook');
  return {
    address,
    setCertificate: ({ certificate, key }) => server.setSecureContext({ cert: certificate, key }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const listening = (server: Server, { host, port }: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== '' && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });

interface Answer {
  status: number;
  body: string;
}

const refused = (status: number, message: string): Answer => ({ status, body: JSON.stringify({ message }) });

const pathPrefix = webhookPath('');

/** Never throws. */
async function answer(options: WebhookServerOptions, request: IncomingMessage): Promise<Answer> {
  const { clock, observer } = options;
  const { url = '', method } = request;
  if (method !== 'POST' || !url.startsWith(pathPrefix)) return refused(404, 'only webhooks are served here');
  const query = url.indexOf('?');
  const ring = url.slice(pathPrefix.length, query < 0 ? url.length : query);
  const start = clock.monotonic();
  const unreadable = (status: number, message: string): Answer => {
    observer?.answered('', 'unreadable', clock.monotonic() - start);
    return refused(status, message);
  };
  let body: unknown;
  try {
    body = await readJson(request);
  } catch (error) {
    return unreadable(error instanceof BodyError ? error.status : 400, 'the body could not be read');
  }
  const review = parseReview(body);
  // The answer needs its uid.
  if (!review) return unreadable(400, 'not an AdmissionReview with a request');
  const decision = review.request ? decided(options, ring, review.request) : unreadableRequest;
  // Most are decided at once: to wait for them, too, would cost a tenth of what a call costs.
  const { outcome, patch } = decision instanceof Promise ? await decision : decision;
  observer?.answered(ring, outcome, clock.monotonic() - start);
  return { status: 200, body: allowed(review.uid, patch) };
}

const unreadableRequest: Decision = { outcome: 'unreadable' };

/** Never throws, never rejects. */
function decided(
  { decide, clock, logger }: WebhookServerOptions,
  ring: string,
  request: AdmissionRequest,
): Decision | Promise<Decision> {
  const failed = (error: unknown): Decision => {
    logger.warn({ err: error, ring }, 'webhook could not decide, the request passes as it is');
    return { outcome: 'error' };
  };
  try {
    const decision = decide(ring, request);
    return typeof decision === 'function' ? inTime(decision, clock).catch(failed) : decision;
  } catch (error) {
    return failed(error);
  }
}

/** Takes no longer than the deadline, whatever `decide` does. */
async function inTime(decide: DecisionByRead, clock: Clock): Promise<Decision> {
  const ended = new AbortController();
  const late = Promise.withResolvers<Decision>();
  const cancel = clock.after(deadlineMs, () => {
    late.resolve({ outcome: 'timeout' });
    ended.abort(new Error(`no decision within ${deadlineMs} ms`));
  });
  try {
    return await Promise.race([decide(ended.signal), late.promise]);
  } finally {
    cancel();
  }
}
