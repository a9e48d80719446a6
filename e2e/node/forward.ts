import { connect, createServer, type Socket } from 'node:net';

export type Address = { host: string; port: number } | { path: string };

/** Passes connections to `from` on to `to`, byte by byte. */
export async function forward(from: Address, to: Address): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: () => Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {}); // `close` follows
    socket.once('close', () => {
      sockets.delete(socket);
      other().destroy();
    });
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (incoming) => {
    const outgoing = connect({ ...to, allowHalfOpen: true, noDelay: true });
    keep(incoming, () => outgoing);
    keep(outgoing, () => incoming);
    incoming.pipe(outgoing);
    outgoing.pipe(incoming);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(from, resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
