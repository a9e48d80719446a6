import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  ageMs,
  type CertificateAndKey,
  issueAuthority,
  issueServing,
  SERVING_MS,
} from '@controller-sharding/shared/server/issue-certificate.ts';

/** What the sharder's replicas share. All PEM. */
export interface CertificateContents {
  /** Authorities that the API server is to trust, the newest first. */
  authorities: readonly string[];
  /** Of the newest. */
  authorityKey: string;
  serving: CertificateAndKey;
}

export interface RenewalFacts {
  /** DNS names and IP addresses under which the API server reaches the webhook. */
  names: readonly string[];
  now: Date;
  /** Whether the API server was told to trust an authority (PEM). */
  trusted(authority: string): boolean;
}

const DAY_MS = 86_400_000;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/**
 * How long a new authority is made known before it signs, and an old one is trusted after the last certificate that it
 * signed was replaced: replicas look every ten seconds, and API servers take a moment to learn of a configuration.
 */
const OVERLAP_MS = 60_000;
/** More than ever overlap; whoever can write the Secret could add any number. */
const MOST_AUTHORITIES = 5;

const certificatePem = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates in a text. */
export const splitBundle = (text: string): string[] => text.match(certificatePem) ?? [];

/**
 * What should be there now: the very same when nothing has to change. A serving certificate is made anew 30 days before
 * it expires, and when it is broken or is not for all names; an authority, while it still outlasts what it signs. A new
 * authority signs only after it is trusted, so that no replica serves with what the API server would refuse; only if
 * there is no certificate to serve with meanwhile, it signs at once.
 */
export async function renewedContents(
  present: CertificateContents,
  { names, now, trusted }: RenewalFacts,
): Promise<CertificateContents> {
  const authorities = present.authorities
    .flatMap((pem) => parsedAuthority(pem, now))
    .slice(0, MOST_AUTHORITIES);
  let key = present.authorityKey;
  let [newest] = authorities;
  if (
    newest === undefined ||
    !belongs(newest.certificate, key) ||
    lastsMs(newest.certificate, now) < authorityLeastMs
  ) {
    const issued = await issueAuthority(now);
    key = issued.key;
    newest = { pem: issued.certificate, certificate: new X509Certificate(issued.certificate) };
    authorities.unshift(newest);
  }
  let { serving } = present;
  let certificate = parsedServing(serving, names, now);
  let signer = authorities.find((authority) => certificate && signed(authority.certificate, certificate));
  const mayReplace = signer !== newest && ageMs(newest.certificate, now) >= OVERLAP_MS && trusted(newest.pem);
  if (certificate === undefined || signer === undefined || mayReplace) {
    serving = await issueServing({ certificate: newest.pem, key }, names, now);
    certificate = new X509Certificate(serving.certificate);
    signer = newest;
  }
  const overlaps = ageMs(certificate, now) < OVERLAP_MS;
  const kept = authorities.filter((authority) => overlaps || authority === newest || authority === signer);
  const same =
    key === present.authorityKey &&
    serving === present.serving &&
    kept.length === present.authorities.length &&
    kept.every(({ pem }, index) => pem === present.authorities[index]);
  if (same) return present;
  return { authorities: kept.map(({ pem }) => pem), authorityKey: key, serving };
}

/** Whether one can serve with it, if not for long or for all names. */
export function canServe({ serving, authorities }: CertificateContents, now: Date): boolean {
  const certificate = parse(serving.certificate);
  return (
    certificate !== undefined &&
    lastsMs(certificate, now) > 0 &&
    belongs(certificate, serving.key) &&
    authorities
      .flatMap((pem) => parsedAuthority(pem, now))
      .some((authority) => signed(authority.certificate, certificate))
  );
}

const authorityLeastMs = SERVING_MS + RENEW_BEFORE_MS;

interface Authority {
  pem: string;
  certificate: X509Certificate;
}

function parsedAuthority(pem: string, now: Date): Authority[] {
  const certificate = parse(pem);
  return certificate?.ca && lastsMs(certificate, now) > 0 ? [{ pem, certificate }] : [];
}

/** Undefined when it has to be made anew. */
function parsedServing(
  { certificate, key }: CertificateAndKey,
  names: readonly string[],
  now: Date,
): X509Certificate | undefined {
  const parsed = parse(certificate);
  const fine =
    parsed !== undefined &&
    lastsMs(parsed, now) > RENEW_BEFORE_MS &&
    belongs(parsed, key) &&
    names.every((name) => (isIP(name) ? parsed.checkIP(name) : parsed.checkHost(name, { subject: 'never' })));
  return fine ? parsed : undefined;
}

const lastsMs = ({ validToDate }: X509Certificate, now: Date): number =>
  validToDate.getTime() - now.getTime();

const signed = (authority: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.verify(authority.publicKey);

function belongs(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
