import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { type CertificateAndKey, issueAuthority, issueServing } from './issue-certificate.ts';

/** Name of the Secret that all replicas of the sharder share. */
export const certificateSecret = 'sharder-webhook-certificate';

const RENEW_BEFORE_MS = 30 * 86_400_000;
/** Every lost race means that another replica has written a certificate, so that the next look finds it. */
const ATTEMPTS = 5;

interface Secret extends KubeObject {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
}

export interface WebhookCertificate extends CertificateAndKey {
  /** Certificate (PEM) of the authority that signed it. */
  authority: string;
}

export interface CertificatesOptions {
  client: Pick<ApiClient, 'get' | 'create' | 'update'>;
  clock: Clock;
  /** The sharder's namespace. */
  namespace: string;
  /** DNS names and IP addresses under which the API server reaches the webhook. */
  names: readonly string[];
}

/**
 * The certificate that all replicas of the sharder serve with, from their Secret. It is made when there is none, and
 * made anew when it is broken, expires within 30 days or is not for all of `names`; the authority stays while it can,
 * so that replicas which serve with the certificate before are still believed. To be asked again every few hours.
 * Throws what the API client throws.
 */
export async function ensureCertificate(
  options: CertificatesOptions,
  signal: AbortSignal,
): Promise<WebhookCertificate> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOrWrite(options, signal);
    } catch (error) {
      const raced = isAlreadyExists(error) || isConflict(error) || isNotFound(error);
      if (!raced || attempt === ATTEMPTS) throw error;
    }
  }
}

async function readOrWrite(
  { client, clock, namespace, names }: CertificatesOptions,
  signal: AbortSignal,
): Promise<WebhookCertificate> {
  const metadata = { name: certificateSecret, namespace };
  const existing = await readSecret(client, metadata, signal);
  const now = clock.now();

  const oldAuthority = pairOf(existing, 'ca');
  const authority = isAuthority(oldAuthority, now) ? oldAuthority : await issueAuthority(now);
  const oldServing = pairOf(existing, 'tls');
  if (isServing(oldServing, authority, names, now)) {
    return { ...oldServing, authority: authority.certificate };
  }

  const serving = await issueServing(authority, names, now);
  const data = {
    'tls.crt': encode(serving.certificate),
    'tls.key': encode(serving.key),
    'ca.crt': encode(authority.certificate),
    'ca.key': encode(authority.key),
  };
  if (existing) await client.update<Secret>(secrets, { ...existing, data }, { signal });
  else {
    const type = 'kubernetes.io/tls';
    await client.create<Secret>(
      secrets,
      { apiVersion: 'v1', kind: 'Secret', type, metadata, data },
      { signal },
    );
  }
  return { ...serving, authority: authority.certificate };
}

async function readSecret(
  client: Pick<ApiClient, 'get'>,
  ref: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<Secret | undefined> {
  try {
    return await client.get<Secret>(secrets, ref, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

const pairOf = (secret: Secret | undefined, prefix: string): CertificateAndKey => {
  const decode = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  return { certificate: decode(`${prefix}.crt`), key: decode(`${prefix}.key`) };
};

const isAuthority = (pair: CertificateAndKey, now: Date): boolean => {
  const certificate = parse(pair, now);
  return certificate?.ca === true;
};

function isServing(
  pair: CertificateAndKey,
  authority: CertificateAndKey,
  names: readonly string[],
  now: Date,
): boolean {
  const certificate = parse(pair, now);
  const issuer = parse(authority, now);
  return (
    certificate !== undefined &&
    issuer !== undefined &&
    certificate.verify(issuer.publicKey) &&
    names.every((name) =>
      isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name, { subject: 'never' }),
    )
  );
}

/** Undefined when it can't be read, the key isn't the certificate's, or it expires soon. */
function parse({ certificate, key }: CertificateAndKey, now: Date): X509Certificate | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    const lasts = parsed.validToDate.getTime() - now.getTime() > RENEW_BEFORE_MS;
    return lasts && parsed.checkPrivateKey(createPrivateKey(key)) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
