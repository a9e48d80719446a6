// oxlint-disable-next-line import/no-unassigned-import -- x509 needs it to be there first
import 'reflect-metadata';
import { generateKeyPairSync, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;
const VALID_MS = 30 * 24 * HOUR_MS;

/** A certificate and its private key, both PEM. */
export interface KeyAndCertificate {
  certificate: string;
  key: string;
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - HOUR_MS), // clocks differ, in containers too
  notAfter: new Date(Date.now() + VALID_MS),
});

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}

/** The certificate authority of one control plane; its private key never leaves this process. */
export class CertificateAuthority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #certificate: x509.X509Certificate;

  private constructor(keys: webcrypto.CryptoKeyPair, certificate: x509.X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(name: string): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: ALGORITHM,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(keys, certificate);
  }

  /** PEM. */
  get certificate(): string {
    return this.#certificate.toString('pem');
  }

  /** For a server on the given addresses and DNS names. */
  serving(commonName: string, ipAddresses: string[], dnsNames: string[]): Promise<KeyAndCertificate> {
    return this.#issue(
      [{ CN: [commonName] }],
      [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
          ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
        ]),
      ],
    );
  }

  /** For a client that the API server takes for this user. */
  client(user: string, groups: string[] = []): Promise<KeyAndCertificate> {
    return this.#issue(
      [...groups.map((group) => ({ O: [group] })), { CN: [user] }],
      [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
    );
  }

  async #issue(subject: x509.JsonName, extensions: x509.Extension[]): Promise<KeyAndCertificate> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: this.#certificate.subjectName,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(),
      extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true), ...extensions],
    });
    return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys) };
  }
}

/** The key pair with which the API server signs and checks tokens of service accounts; PEM. */
export function serviceAccountKeys(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}
