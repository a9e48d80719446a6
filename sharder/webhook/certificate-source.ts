import type { CertificateAndKey } from '@controller-sharding/shared/server/issue-certificate.ts';

/** What the webhook serves with. */
export interface WebhookCertificate extends CertificateAndKey {
  /** PEM of those whom the API server has to trust; undefined: it is told by others. */
  authorities: string | undefined;
}

/** Where the webhook's certificate comes from. */
export interface CertificateSource {
  /** In words, for messages. */
  readonly description: string;
  /** As it is now, to be asked every few seconds. Throws when there is none to serve with. */
  read(signal: AbortSignal): Promise<CertificateFound>;
}

export interface CertificateFound {
  certificate: WebhookCertificate;
  /** Why it could not be renewed, though it should be. */
  problem?: unknown;
}
