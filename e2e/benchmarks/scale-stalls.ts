/**
 * Loaded into a process that is measured, by `--import`: SIGUSR2 begins to measure how long its event loop is held up,
 * and a second one ends that, with a line on standard error.
 */
import { StallMeter } from './stall-meter.ts';

const meter = new StallMeter();
let measuring = false;
process.on('SIGUSR2', () => {
  measuring = !measuring;
  if (measuring) meter.start();
  else process.stderr.write(`stalls ${JSON.stringify(meter.stop())}\n`);
});
