import type { ApiClient } from '../kube/api-client.ts';
import type { Clock } from '../runtime/clock.ts';
import { Latch } from '../runtime/latch.ts';
import { MetricsAccess } from '../server/metrics-access.ts';
import { type OpsServerOptions, startOpsServer } from '../server/ops-server.ts';
import { followServingCertificate, metricsCertificateFolder } from '../server/serving-certificate.ts';
import { aborted, type Runnable } from './runnable.ts';

export interface OpsRunnableOptions extends Omit<OpsServerOptions, 'access'> {
  /** By HTTPS, and /metrics only for users who may `get` it; asked by this client. Default: for all who reach the port. */
  secure?: { client: ApiClient; clock: Clock } | undefined;
}

/** A server for health or metrics, from before all else until after all else. */
export function opsRunnable(name: string, { secure, ...options }: OpsRunnableOptions): Runnable {
  const { logger } = options;
  const listening = new Latch();
  return {
    name,
    stage: 'server',
    async run(signal) {
      const access = secure && new MetricsAccess({ ...secure, logger });
      const server = await startOpsServer({ ...options, access });
      listening.open();
      if (secure) {
        const certificate = { clock: secure.clock, logger, folder: metricsCertificateFolder };
        await followServingCertificate(certificate, (pair) => server.setCertificate(pair), signal);
      }
      await aborted(signal);
      await server.close();
    },
    waitForSync: (signal) => listening.wait(signal),
  };
}
