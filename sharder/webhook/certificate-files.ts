import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CertificateFiles,
  readCertificateFiles,
} from '@controller-sharding/shared/server/certificate-files.ts';
import type { CertificateFound, CertificateSource } from './certificate-source.ts';

/** Where existing installations mount the Secret that cert-manager fills. */
const defaultFolder = '/tmp/k8s-webhook-server/serving-certs';

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
    return { certificate: { ...(await readCertificateFiles(this.#files)), authorities: undefined } };
  }
}
