import { connect, createServer, type Server, type Socket } from 'node:net';

/** One port in front of several: what a Service is in a cluster. */
export interface Service {
  port: number;
  close(): Promise<void>;
}

/** The port asked for is in use, or not allowed. */
export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code = 'PORT';
}

/**
 * Passes connections to 127.0.0.1:`port` (0: a free one) on to the first of `backends` that accepts them. Throws
 * PortError when the port can't be had.
 */
export async function startService(port: number, backends: () => readonly number[]): Promise<Service> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Either side may be killed; its peer just ends, too.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    void passOn(client, backends(), keep);
  });
  await listen(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function passOn(
  client: Socket,
  backends: readonly number[],
  keep: (socket: Socket) => void,
): Promise<void> {
  for (const port of backends) {
    const backend = await reach(port);
    if (backend === undefined) continue;
    keep(backend);
    backend.once('close', () => client.destroy());
    client.once('close', () => backend.destroy());
    if (client.destroyed) backend.destroy();
    client.pipe(backend);
    backend.pipe(client);
    return;
  }
  client.destroy();
}

const reach = (port: number): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const refused = (): void => resolve(undefined);
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      resolve(socket);
    });
  });

/** Throws PortError when nobody can listen on the port now. */
export async function checkPort(port: number): Promise<void> {
  const server = createServer();
  await listen(server, port);
  await new Promise((resolve) => server.close(resolve));
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is in use' : `can't be used (${error.code})`;
      reject(new PortError(`port ${port} on 127.0.0.1 ${why}: choose another one with --webhook-port`));
    });
    server.listen(port, '127.0.0.1', () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
