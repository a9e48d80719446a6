/**
 * Loaded into a process that is measured, by `--import`: SIGUSR2 begins to measure how long its event loop is held up,
 * and a second one ends that, with a line on standard error. Each watch that is opened is a line there, too.
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

const isOfWatch = (message: unknown): boolean =>
  typeof message === 'object' &&
  message !== null &&
  'request' in message &&
  typeof message.request === 'object' &&
  message.request !== null &&
  'path' in message.request &&
  String(message.request.path).includes('watch=');

subscribe('undici:request:create', (message) => {
  if (isOfWatch(message)) process.stderr.write('watch opened\n');
});
