import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateFound, CertificateSource } from './certificate-source.ts';

/** Where existing installations mount the Secret that cert-manager fills. */
const defaultFolder = '/tmp/k8s-webhook-server/serving-certs';

export interface CertificateFiles {
  certificate: string;
  key: string;
}

/** The files to serve with: those of the folder named, else those of the default folder if it holds both. */
export function certificateFiles(
  { certDir, certName, keyName }: { certDir?: string | undefined; certName: string; keyName: string },
  exists: (path: string) => boolean = existsSync,
): CertificateFiles | undefined {
  const folder = certDir ?? defaultFolder;
  const files = { certificate: join(folder, certName), key: join(folder, keyName) };
  const there = exists(files.certificate) && exists(files.key);
  return certDir !== undefined || there ? files : undefined;
}

/** A certificate that others make and renew. */
export class FileCertificate implements CertificateSource {
  readonly #files: CertificateFiles;

  constructor(files: CertificateFiles) {
    this.#files = files;
  }

  get description(): string {
    return `files ${this.#files.certificate} and ${this.#files.key}`;
  }

  /** Throws also in the middle of a renewal, when one file is new and the other is not. */
  async read(): Promise<CertificateFound> {
    const [certificate, key] = await Promise.all([
      readFile(this.#files.certificate, 'utf8'),
      readFile(this.#files.key, 'utf8'),
    ]);
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      throw new Error('the key is not that of the certificate');
    }
    return { certificate: { certificate, key, authorities: undefined } };
  }
}
