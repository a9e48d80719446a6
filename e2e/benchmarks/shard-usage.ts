/**
 * Loaded into an operator's process that is measured, by `--import`; the process must run with `--expose-gc`. With each
 * SIGUSR2 it tells on standard error, with a number of its own, what it has used since its start.
 */
import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { heapUsedBytes } from './usage-meter.ts';

/** What an operator's process uses. */
export interface ShardUsage {
  /** The heap in use after a garbage collection, now. */
  heapMb: number;
  /** Of all threads. */
  cpuMs: number;
  /** From the API server, inside of TLS. */
  receivedMb: number;
}

const open = new Set<Socket>();
let receivedBefore = 0;

subscribe('undici:client:connected', (message) => {
  if (!(message instanceof Object && 'socket' in message && message.socket instanceof Socket)) return;
  const { socket } = message;
  open.add(socket);
  socket.once('close', () => {
    open.delete(socket);
    receivedBefore += socket.bytesRead;
  });
});

let told = 0;
process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  const received = [...open].reduce((sum, { bytesRead }) => sum + bytesRead, receivedBefore);
  const usage: ShardUsage = {
    cpuMs: (user + system) / 1_000,
    receivedMb: received / 1e6,
    heapMb: heapUsedBytes() / 1e6,
  };
  told += 1;
  process.stderr.write(`usage ${told} ${JSON.stringify(usage)}\n`);
});
