import { firstContact } from '../kube/first-contact.ts';
import type { Transport } from '../kube/transport.ts';
import type { Clock } from '../runtime/clock.ts';
import { Latch } from '../runtime/latch.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Runnable } from './runnable.ts';

/** Waits for the API server's first answer before all that needs it; see `firstContact`. */
export function apiServerRunnable(
  transport: Pick<Transport, 'request'>,
  clock: Clock,
  logger: Logger,
): Runnable {
  const answers = new Latch();
  return {
    name: 'API server',
    stage: 'server',
    run: async (stop) => {
      await firstContact(transport, clock, logger, stop);
      answers.open();
    },
    waitForSync: (stop) => answers.wait(stop),
  };
}
