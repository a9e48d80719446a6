import { type Address, formatAddress } from '@controller-sharding/shared/runtime/address.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { listen } from '@controller-sharding/shared/server/listen.ts';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { AdmissionOutcome, Decision } from './admission.ts';
import { type AdmissionRequest, allow, parseReview } from './admission-review.ts';
import type { Decide } from './decide.ts';
import { webhookPath } from './webhook-configuration.ts';

/** An update carries the old object and the new one, and the API server takes requests of 3 MiB. */
const BODY_LIMIT = 8 * 1024 * 1024;
/** Less than what the API server waits (5 s), so that it gets an answer also when a read hangs. */
const DEADLINE_MS = 2_000;

export interface TlsPair {
  /** PEM. */
  certificate: string;
  /** PEM. */
  key: string;
}

export interface WebhookObserver {
  /** One request was answered. `ring` is empty when the request names no known one. */
  answered(ring: string, outcome: AdmissionOutcome, durationMs: number): void;
}

export interface WebhookServerOptions {
  address: Address;
  tls: TlsPair;
  decide: Decide;
  clock: Clock;
  logger: Logger;
  observer?: WebhookObserver | undefined;
}

export interface WebhookServer {
  /** In use; the port is chosen if 0 was asked for. */
  readonly address: Address;
  /** For connections from now on. */
  setCertificate(tls: TlsPair): void;
  /** Takes no new requests, answers those under way, and ends. */
  close(): Promise<void>;
}

/**
 * Serves the webhooks of all rings. Every request that can be answered is allowed within two seconds, without a patch
 * when anything is wrong; only a body that is no AdmissionReview gets 400. Throws ListenError.
 */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  const { tls, logger, observer } = options;
  const app = fastify({
    https: { cert: tls.certificate, key: tls.key },
    bodyLimit: BODY_LIMIT,
    requestTimeout: 10_000,
    // Objects may well have a label or annotation of such a name; they are never merged into anything.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    routerOptions: { maxParamLength: 253 },
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger.error({ err: error }, 'webhook request failed');
    observer?.answered('', status >= 500 ? 'error' : 'unreadable', reply.elapsedTime);
    return reply.code(status).send({ message: error.message });
  });
  app.post<{ Params: { ring: string } }>(webhookPath(':ring'), (request, reply) =>
    answer(options, request, reply),
  );
  const address = await listen(app, options.address);
  logger.info({ address: formatAddress(address) }, 'serving webhook');
  return {
    address,
    setCertificate: ({ certificate, key }) => app.server.setSecureContext({ cert: certificate, key }),
    close: () => app.close(),
  };
}

async function answer(
  { decide, clock, logger, observer }: WebhookServerOptions,
  { params, body }: FastifyRequest<{ Params: { ring: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const start = clock.monotonic();
  const review = parseReview(body);
  const decision: Decision = review?.request
    ? await decideInTime(decide, params.ring, review.request, clock, logger)
    : { outcome: 'unreadable' };
  const { outcome } = decision;
  const ring = outcome === 'unreadable' || outcome === 'unknown-ring' ? '' : params.ring;
  observer?.answered(ring, outcome, clock.monotonic() - start);
  if (!review) return reply.code(400).send({ message: 'not an AdmissionReview with a request' });
  return reply.send(allow(review.uid, decision.patch));
}

/** Never throws, and takes no longer than the deadline, whatever `decide` does. */
async function decideInTime(
  decide: Decide,
  ring: string,
  request: AdmissionRequest,
  clock: Clock,
  logger: Logger,
): Promise<Decision> {
  const ended = new AbortController();
  const late = Promise.withResolvers<Decision>();
  const cancel = clock.after(DEADLINE_MS, () => {
    late.resolve({ outcome: 'timeout' });
    ended.abort(new Error(`no decision within ${DEADLINE_MS} ms`));
  });
  try {
    return await Promise.race([decide(ring, request, ended.signal), late.promise]);
  } catch (error) {
    logger.warn({ err: error, ring }, 'webhook could not decide, the request passes as it is');
    return { outcome: 'error' };
  } finally {
    cancel();
  }
}
