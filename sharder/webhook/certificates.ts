import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import { sharderRequestMs } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type CertificateContents,
  canServe,
  type RenewalFacts,
  renewedContents,
  splitBundle,
} from './certificate-contents.ts';
import type { CertificateFound, CertificateSource } from './certificate-source.ts';

/** Name of the Secret that all replicas of the sharder share. */
export const certificateSecret = 'sharder-webhook-certificate';

/** Every lost race means that another replica has written a certificate, so that the next look finds it. */
const ATTEMPTS = 5;

interface Secret extends KubeObject {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
}

export interface SecretCertificateOptions extends Pick<RenewalFacts, 'names' | 'trusted'> {
  client: Pick<ApiClient, 'get' | 'create' | 'update'>;
  clock: Clock;
  /** The sharder's namespace. */
  namespace: string;
}

const nothing: CertificateContents = {
  authorities: [],
  authorityKey: '',
  serving: { certificate: '', key: '' },
};

/**
 * The certificate that the sharder makes itself, and renews. All replicas share it by their Secret; when that is
 * deleted or broken, what this replica read last is the start of a new one.
 */
export class SecretCertificate implements CertificateSource {
  readonly #options: SecretCertificateOptions;
  #last = nothing;

  constructor(options: SecretCertificateOptions) {
    this.#options = options;
  }

  get description(): string {
    return `Secret ${this.#options.namespace}/${certificateSecret}`;
  }

  async read(signal: AbortSignal): Promise<CertificateFound> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { contents, problem } = await this.#readOrWrite(signal);
        this.#last = contents;
        return { certificate: { ...contents.serving, authorities: bundle(contents) }, problem };
      } catch (error) {
        if (!isRace(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #readOrWrite(signal: AbortSignal): Promise<{ contents: CertificateContents; problem?: unknown }> {
    const { clock, names, trusted } = this.#options;
    const now = clock.now();
    const existing = await this.#get(signal);
    const found = contentsOf(existing);
    const present = canServe(found, now) ? found : this.#joinedWithLast(found, now);
    const wanted = await renewedContents(present, { names, now, trusted });
    if (wanted === found) return { contents: found };
    try {
      await this.#write(existing, wanted, signal);
      return { contents: wanted };
    } catch (error) {
      if (isRace(error) || !canServe(found, now)) throw error;
      return { contents: found, problem: error };
    }
  }

  /** The certificate in use goes on, and whoever signed it stays trusted; the key to sign is not taken over. */
  #joinedWithLast(found: CertificateContents, now: Date): CertificateContents {
    if (!canServe(this.#last, now)) return found;
    const { serving, authorities } = this.#last;
    return { ...found, serving, authorities: [...new Set([...found.authorities, ...authorities])] };
  }

  async #get(signal: AbortSignal): Promise<Secret | undefined> {
    const { client, namespace } = this.#options;
    try {
      const ref = { namespace, name: certificateSecret };
      return await client.get<Secret>(secrets, ref, { signal, timeoutMs: sharderRequestMs });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #write(
    existing: Secret | undefined,
    contents: CertificateContents,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, namespace } = this.#options;
    const options = { signal, timeoutMs: sharderRequestMs };
    const data = { ...existing?.data, ...dataOf(contents) };
    if (existing) {
      await client.update<Secret>(secrets, { ...existing, data }, options);
      return;
    }
    const metadata = { name: certificateSecret, namespace };
    const type = 'kubernetes.io/tls';
    await client.create<Secret>(secrets, { apiVersion: 'v1', kind: 'Secret', type, metadata, data }, options);
  }
}

const bundle = ({ authorities }: CertificateContents): string =>
  authorities.map((pem) => pem.trim()).join('\n');

const isRace = (error: unknown): boolean => isAlreadyExists(error) || isConflict(error) || isNotFound(error);

function contentsOf(secret: Secret | undefined): CertificateContents {
  const decoded = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  return {
    authorities: splitBundle(decoded('ca.crt')),
    authorityKey: decoded('ca.key'),
    serving: { certificate: decoded('tls.crt'), key: decoded('tls.key') },
  };
}

function dataOf(contents: CertificateContents): Record<string, string> {
  const { authorityKey, serving } = contents;
  const texts = {
    'tls.crt': serving.certificate,
    'tls.key': serving.key,
    'ca.crt': bundle(contents),
    'ca.key': authorityKey,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
}
