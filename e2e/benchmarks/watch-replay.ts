/** A server that replays a recorded watch to each client that asks, over and over, at a fixed rate. */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

export interface ReplayInput {
  file: string;
  eventsPerSecond: number;
}

export interface ReplayListens {
  port: number;
}

const tickMs = 5;
/** A client that is this far behind gets the rest when it has caught up. */
const mostUnsent = 8 << 20;

process.once('disconnect', () => process.exit(0));
process.once('message', ({ file, eventsPerSecond }: ReplayInput) => {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => Buffer.from(`${line}\n`));
  const server = createServer((_, response) => replay(response, lines, eventsPerSecond));
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object' && address)
      process.send?.({ port: address.port } satisfies ReplayListens);
  });
});

/** Until the client goes: what was due since the last tick, each event in an HTTP chunk of its own, as it was sent. */
function replay(response: ServerResponse, lines: readonly Buffer[], eventsPerSecond: number): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * eventsPerSecond) / 1_000);
    response.cork();
    for (; sent < due && response.writableLength < mostUnsent; sent += 1) {
      response.write(lines[sent % lines.length]);
    }
    response.uncork();
  }, tickMs);
  response.once('close', () => clearInterval(timer));
}
