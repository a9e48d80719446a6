import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from './x509.ts';

/** A certificate and its private key. */
export interface CertificateAndKey {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const DAY_MS = 86_400_000;
const AUTHORITY_MS = 3_650 * DAY_MS;
/** How long a server's certificate is valid. */
export const SERVING_MS: number = 365 * DAY_MS;
/** Clocks differ a little. */
const SKEW_MS = 3_600_000;

/** Loaded only by who issues: once a year, and it takes memory for as long as the process lives. */
const library = (): Promise<typeof X509> => import('./x509.ts');

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
type KeyPair = Awaited<ReturnType<typeof newKeys>>;

const validity = (now: Date, ms: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now.getTime() - SKEW_MS),
  notAfter: new Date(now.getTime() + ms),
});

/** Ms since a certificate of this file was issued. */
export const ageMs = ({ validFromDate }: X509Certificate, now: Date): number =>
  now.getTime() - validFromDate.getTime() - SKEW_MS;

/** A new certificate authority, valid for ten years. */
export async function issueAuthority(now: Date): Promise<CertificateAndKey> {
  const x509 = await library();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['controller sharding authority'] }],
    keys,
    signingAlgorithm: algorithm,
    ...validity(now, AUTHORITY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPem(certificate, keys);
}

/** A server's certificate for these DNS names and IP addresses, valid for a year. */
export async function issueServing(
  authority: CertificateAndKey,
  names: readonly string[],
  now: Date,
): Promise<CertificateAndKey> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const pkcs8 = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: ['controller sharding'] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...validity(now, SERVING_MS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return toPem(certificate, keys);
}

async function toPem(certificate: X509.X509Certificate, { privateKey }: KeyPair): Promise<CertificateAndKey> {
  const x509 = await library();
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', privateKey);
  return {
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}
