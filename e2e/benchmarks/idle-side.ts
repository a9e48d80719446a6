/** A process that does nothing but measure how long this machine lets it wait. */
import { StallMeter } from './stall-meter.ts';

const meter = new StallMeter();
process.once('disconnect', () => process.exit(0));
process.on('message', (what: 'start' | 'stop') => {
  if (what === 'start') meter.start();
  else process.send?.(meter.stop());
});
