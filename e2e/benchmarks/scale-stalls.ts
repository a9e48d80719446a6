/**
 * Loaded into a process that is measured, by `--import`: SIGUSR2 begins to measure how long its event loop is held up,
 * and a second one ends that, with a line on standard error. Each request is a line there, too.
 */
import { subscribe } from 'node:diagnostics_channel';
import { StallMeter } from './stall-meter.ts';

const meter = new StallMeter();
let measuring = false;
process.on('SIGUSR2', () => {
  measuring = !measuring;
  if (measuring) meter.start();
  else process.stderr.write(`stalls ${JSON.stringify(meter.stop())}\n`);
});

subscribe('undici:request:create', (message) => {
  const line = requestLine(message);
  if (line !== undefined) process.stderr.write(`request ${line}\n`);
});

function requestLine(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('request' in message)) return undefined;
  const { request } = message;
  if (typeof request !== 'object' || request === null) return undefined;
  return 'method' in request && 'path' in request
    ? `${String(request.method)} ${String(request.path)}`
    : undefined;
}
