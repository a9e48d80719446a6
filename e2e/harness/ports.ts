import { createServer } from 'node:net';

/** Below the range from which systems take the ports of outgoing connections (Linux: 32768 and up). */
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 200;

const given = new Set<number>();

/** Whether a server can listen on the loopback port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A loopback port that nobody listens on, and that this process hasn't been given before. No outgoing connection can
 * take it meanwhile, so a server that was stopped finds it free when it is started again.
 */
export async function freePort(random: () => number = Math.random): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(random() * (LAST - FIRST));
    if (given.has(port) || !(await isPortFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`No free port on 127.0.0.1 between ${FIRST} and ${LAST}`);
}
