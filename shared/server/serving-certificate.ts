import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../kube/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { readCertificateFiles } from './certificate-files.ts';
import { type CertificateAndKey, issueAuthority, issueServing } from './issue-certificate.ts';

/** Where the metrics server of controller-runtime looks, too. */
export const metricsCertificateFolder = '/tmp/k8s-metrics-server/serving-certs';

const lookEveryMs = 10_000;

export interface ServingCertificateOptions {
  clock: Clock;
  logger: Logger;
  /** With the files `tls.crt` and `tls.key`, if there are any. */
  folder: string;
}

/**
 * Tells what a server is to serve with, until the signal is aborted: what the files hold, and hold later on; as long as
 * there are none, a certificate of its own, which nobody can verify: it only keeps secrets from onlookers.
 */
export async function followServingCertificate(
  { clock, logger, folder }: ServingCertificateOptions,
  onChange: (certificate: CertificateAndKey) => void,
  signal: AbortSignal,
): Promise<void> {
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  let present: CertificateAndKey | undefined;
  let problem = '';
  const own = async (): Promise<CertificateAndKey> => {
    const now = clock.now();
    return issueServing(await issueAuthority(now), [hostname()], now);
  };
  while (!signal.aborted) {
    try {
      const next = existsSync(files.certificate)
        ? await readCertificateFiles(files)
        : (present ?? (await own()));
      problem = '';
      if (next.certificate !== present?.certificate || next.key !== present.key) {
        present = next;
        onChange(next);
      }
    } catch (error) {
      const message = messageOf(error);
      if (message !== problem) logger.warn(`the certificate in ${folder} can't be used: ${message}`);
      problem = message;
    }
    await clock.sleep(lookEveryMs, signal).catch(() => undefined);
  }
}
