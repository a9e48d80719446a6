import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type Address, formatAddress } from '@controller-sharding/shared/runtime/address.ts';
import type { CertificateAndKey } from '@controller-sharding/shared/server/issue-certificate.ts';
import { listen } from '@controller-sharding/shared/server/listen.ts';
import { type Answer, type AnswerOptions, answerReview, refused } from './answer-review.ts';
import { timeouts } from './limits.ts';
import { PlainRequests } from './plain-requests.ts';
import { readBody } from './read-body.ts';
import { webhookPath } from './webhook-configuration.ts';

export interface WebhookServerOptions extends AnswerOptions {
  address: Address;
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
    answer(options, request, ({ status, body }) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      // Else the connection would stay open, and its end be waited for, or the rest of a body be read.
      const last = !server.listening || !request.complete;
      response.writeHead(status, last ? { ...headers, connection: 'close' } : headers);
      response.end(body);
    });
  });
  const plain = servePlainRequests(server, options);
  const address = await listen({ server, listen: (at) => listening(server, at) }, options.address);
  options.logger.info({ address: formatAddress(address) }, 'serving webhook');
  return {
    address,
    setCertificate: ({ certificate, key }) => server.setSecureContext({ cert: certificate, key }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const requests of plain) requests.close();
      }),
  };
}

/** Puts them before the server's own handling of connections. Returns the connections that have no other requests. */
function servePlainRequests(server: Server, options: WebhookServerOptions): Iterable<PlainRequests> {
  const open = new Map<TLSSocket, PlainRequests>();
  const ofServer = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket) => {
    const requests = new PlainRequests(socket, {
      clock: options.clock,
      answer: (ring, body, send) => answerReview(options, ring, body, send),
      ringOf,
      closing: () => !server.listening,
      toHttp() {
        open.delete(socket);
        for (const listener of ofServer) listener.call(server, socket);
      },
    });
    open.set(socket, requests);
    socket.once('close', () => open.delete(socket));
  });
  return { [Symbol.iterator]: () => open.values() };
}

const listening = (server: Server, { host, port }: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host !== '' && { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });

const pathPrefix = webhookPath('');

/** Undefined: that isn't the path of a webhook. */
function ringOf(url: string): string | undefined {
  if (!url.startsWith(pathPrefix)) return undefined;
  const query = url.indexOf('?');
  return url.slice(pathPrefix.length, query < 0 ? url.length : query);
}

function answer(
  options: WebhookServerOptions,
  request: IncomingMessage,
  send: (answer: Answer) => void,
): void {
  const ring = request.method === 'POST' ? ringOf(request.url ?? '') : undefined;
  if (ring === undefined) return send(refused(404, 'only webhooks are served here'));
  readBody(request, (body) => {
    if (body) return answerReview(options, ring, body, send);
    options.observer?.answered('', 'unreadable', 0);
    send(refused(413, 'the body is too large'));
  });
}
