import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CertificateAndKey } from './issue-certificate.ts';

/** Paths of PEM files. */
export interface CertificateFiles {
  certificate: string;
  key: string;
}

/**
 * A certificate that others make and renew. Throws when there is none, also in the middle of a renewal, when one file is
 * new and the other is not.
 */
export async function readCertificateFiles(files: CertificateFiles): Promise<CertificateAndKey> {
  const [certificate, key] = await Promise.all([
    readFile(files.certificate, 'utf8'),
    readFile(files.key, 'utf8'),
  ]);
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the key is not that of the certificate');
  }
  return { certificate, key };
}
