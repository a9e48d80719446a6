import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { ApiError, messageOf } from './errors.ts';
import type { Transport } from './transport.ts';

const patienceMs = 60_000;
const pauseMs = 1_000;
const requestMs = 5_000;

/**
 * Waits until the API server answers: a process that is restarted in an outage goes on when it is over. Throws the
 * last error after a minute, and at once what another try won't change, so that a wrong address is not waited for
 * in silence.
 */
export async function firstContact(
  transport: Pick<Transport, 'request'>,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const end = clock.monotonic() + patienceMs;
  for (let tries = 0; ; tries += 1) {
    try {
      await transport.request({ method: 'GET', path: '/version', signal, timeoutMs: requestMs });
      return;
    } catch (error) {
      signal.throwIfAborted();
      const final = error instanceof ApiError && error.status < 500 && error.status !== 429;
      if (final || clock.monotonic() >= end) throw error;
      if (tries === 0) logger.warn(`${messageOf(error)}; trying for a minute`);
      await clock.sleep(pauseMs, signal);
    }
  }
}
