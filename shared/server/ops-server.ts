import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type FastifyInstance, fastify } from 'fastify';
import { type Address, formatAddress, parseAddress } from '../runtime/address.ts';
import type { Logger } from '../runtime/logger.ts';
import type { CertificateAndKey } from './issue-certificate.ts';
import { listen } from './listen.ts';
import type { Access } from './metrics-access.ts';
import { type MetricsPage, UnavailableError } from './metrics-page.ts';

/** True: fine. False, or a text that says why not: the kubelet restarts (live) or leaves out (ready) the pod. */
export interface Health {
  live(): boolean | string;
  ready(): boolean | string;
}

export interface OpsServerOptions {
  /** `host:port` as in `parseAddress`; `0`: no server. */
  address: string | Address;
  /** Served on /healthz and /readyz. */
  health?: Health | undefined;
  /** Served on /metrics. */
  registry?: MetricsPage | undefined;
  /** With it, all is by HTTPS, and /metrics only for whom it lets pass. */
  access?: Access | undefined;
  logger: Logger;
}

export interface OpsServer {
  /** `host:port` in use; `0` if there is no server. */
  readonly address: string;
  readonly port: number;
  /** For connections from now on. By HTTPS, none succeeds before the first one. */
  setCertificate(pair: CertificateAndKey): void;
  /** Ends the server and its connections. */
  close(): Promise<void>;
}

/** Serves health and metrics to kubelet and Prometheus. Throws UsageError for a wrong address, ListenError. */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { health, registry, access, logger } = options;
  const address =
    typeof options.address === 'string' ? parseAddress('address', options.address) : options.address;
  if (address === undefined)
    return { address: '0', port: 0, setCertificate: () => undefined, close: () => Promise.resolve() };

  const secure = access && createSecureServer();
  const app = fastify({
    forceCloseConnections: true,
    serverFactory: (handler) => (secure ?? createServer()).on('request', handler),
  });
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof UnavailableError)
      return reply.code(503).type('text/plain').send(`${error.message}\n`);
    logger.error({ err: error, path: request.url }, 'ops request failed');
    return reply.code(500).type('text/plain').send('internal error\n');
  });
  if (health !== undefined) {
    serveCheck(app, '/healthz', () => health.live());
    serveCheck(app, '/readyz', () => health.ready());
  }
  if (registry !== undefined) {
    app.get('/metrics', async (request, reply) => {
      const refusal = await access?.check('/metrics', request.headers.authorization);
      if (refusal === undefined) return reply.type(registry.contentType).send(await registry.metrics());
      if (refusal.status === 401) reply.header('www-authenticate', 'Bearer');
      return reply.code(refusal.status).type('text/plain').send(`${refusal.message}\n`);
    });
  }
  const bound = await listen(app, address);
  logger.debug({ address: formatAddress(bound) }, 'serving health and metrics');
  return {
    address: formatAddress(bound),
    port: bound.port,
    setCertificate: ({ certificate, key }) => secure?.setSecureContext({ cert: certificate, key }),
    close: () => app.close(),
  };
}

function serveCheck(app: FastifyInstance, path: string, check: () => boolean | string): void {
  app.get(path, (_request, reply) => {
    const answer = check();
    reply.type('text/plain');
    return answer === true
      ? reply.send('ok\n')
      : reply.code(503).send(`${answer === false ? 'not ok' : answer}\n`);
  });
}
