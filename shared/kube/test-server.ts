import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { KubeConfig, User } from './kube-config.ts';

export interface ReceivedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface TestServer {
  url: string;
  kubeConfig: KubeConfig;
  received: ReceivedRequest[];
  /** Connections accepted so far. */
  connections(): number;
  /** Connections open now. */
  open(): Promise<number>;
}

/** For tests: an HTTP server on loopback in the place of the API server; closed after the test. */
export async function startTestServer(
  t: Pick<TestContext, 'after'>,
  handler: (request: ReceivedRequest, response: ServerResponse) => void,
  user: Partial<User> = {},
): Promise<TestServer> {
  const received: ReceivedRequest[] = [];
  let connections = 0;
  const server = createServer((message, response) => {
    let body = '';
    message.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    message.on('end', () => {
      const url = new URL(message.url ?? '', 'http://server');
      const { method = '', headers } = message;
      const request = { method, path: url.pathname, query: url.searchParams, headers, body };
      received.push(request);
      handler(request, response);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    kubeConfig: kubeConfigFor(url, user),
    received,
    connections: () => connections,
    open: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
  };
}

export const kubeConfigFor = (server: string, user: Partial<User> = {}): KubeConfig => ({
  cluster: { name: 'cluster', server, skipTLSVerify: true },
  user: { name: 'user', ...user },
  namespace: 'default',
});

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Resolves when `condition` holds, looked at in each turn of the event loop; rejects when it doesn't within 5 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  while (!(await condition())) {
    if (signal.aborted) throw new Error(`still not true: ${String(condition)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
