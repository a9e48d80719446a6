import { Latch } from '../runtime/latch.ts';
import { type OpsServerOptions, startOpsServer } from '../server/ops-server.ts';
import { aborted, type Runnable } from './runnable.ts';

/** A server for health or metrics, from before all else until after all else. */
export function opsRunnable(name: string, options: OpsServerOptions): Runnable {
  const listening = new Latch();
  return {
    name,
    stage: 'server',
    async run(signal) {
      const server = await startOpsServer(options);
      listening.open();
      await aborted(signal);
      await server.close();
    },
    waitForSync: (signal) => listening.wait(signal),
  };
}
