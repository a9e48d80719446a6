import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { messageOf, TransportError } from './errors.ts';
import type { KubeConfig } from './kube-config.ts';

/** In PEM form. */
export interface TlsMaterial {
  /** Whom the server's certificate must be signed by. */
  ca?: Buffer;
  /** The client's own certificate. */
  cert?: Buffer;
  key?: Buffer;
}

type Part = keyof TlsMaterial;

/** How long files are trusted to be as they were read; those who rotate them do it well ahead of the end. */
const fileAgeMs = 10_000;
/** In the middle of a rotation, files don't belong together; for so many reads that is not told. */
const readsOfRotation = 1;

/**
 * Certificate authority, client certificate and key of a KubeConfig. Those that are files are read again when they
 * may have changed: a kubelet, cert-manager or the cluster itself rotates them under a running process.
 */
export class TlsFiles {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #files: [part: Part, file: string][] = [];
  #material: TlsMaterial = {};
  #staleAt: number;
  #reading: Promise<void> | undefined;
  /** Reads, one after the other, that brought nothing usable. */
  #failures = 0;

  /** Throws TransportError KUBE_CONFIG when something cannot be read, or cannot serve. */
  constructor(kubeConfig: KubeConfig, clock: Clock, logger: Logger = silentLogger) {
    const { cluster, user } = kubeConfig;
    this.#clock = clock;
    this.#logger = logger;
    this.#add('ca', cluster.caFile, cluster.caData);
    this.#add('cert', user?.certFile, user?.certData);
    this.#add('key', user?.keyFile, user?.keyData);
    check(this.#material);
    this.#staleAt = this.#files.length > 0 ? clock.monotonic() + fileAgeMs : Number.POSITIVE_INFINITY;
  }

  /** As it was read at the start, or last. */
  get latest(): TlsMaterial {
    return this.#material;
  }

  /** Undefined when files have to be read again. */
  get fresh(): TlsMaterial | undefined {
    return this.#clock.monotonic() < this.#staleAt ? this.#material : undefined;
  }

  /** The same object as before if nothing has changed. */
  async current(): Promise<TlsMaterial> {
    if (this.fresh) return this.fresh;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
    return this.#material;
  }

  /** The API server refused the client: what there is now is read at the next call. */
  refused(): void {
    if (this.#files.length > 0) this.#staleAt = this.#clock.monotonic();
  }

  #add(part: Part, file: string | undefined, base64: string | undefined): void {
    if (base64) this.#material[part] = Buffer.from(base64, 'base64');
    else if (file) {
      this.#material[part] = readNow(file);
      this.#files.push([part, file]);
    }
  }

  async #read(): Promise<void> {
    const next = { ...this.#material };
    try {
      for (const [part, file] of this.#files) next[part] = await readFile(file);
      check(next);
      const changed = this.#files.some(([part]) => !next[part]?.equals(this.#material[part] ?? empty));
      if (changed) this.#material = next;
      this.#failures = 0;
    } catch (error) {
      // In the middle of a rotation: a new certificate and the old key, for example. What there was still serves.
      this.#failures += 1;
      if (this.#failures === readsOfRotation + 1) {
        const fields = { reason: messageOf(error), files: this.#files.map(([, file]) => file) };
        this.#logger.warn(
          fields,
          'TLS files cannot be used: those read before are, as long as they are valid',
        );
      }
    }
    this.#staleAt = this.#clock.monotonic() + fileAgeMs;
  }
}

const empty = Buffer.alloc(0);

/** Throws TransportError KUBE_CONFIG. */
function check({ ca, cert, key }: TlsMaterial): void {
  if (ca) parsed('certificate-authority', () => new X509Certificate(ca));
  if (!cert && !key) return;
  if (!cert) throw unusable('client-key', 'there is no client-certificate for it');
  if (!key) throw unusable('client-certificate', 'there is no client-key for it');
  const certificate = parsed('client-certificate', () => new X509Certificate(cert));
  const privateKey = parsed('client-key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw unusable('client-certificate', 'it does not belong to the client-key');
  }
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusable(what, messageOf(error), error);
  }
}

const unusable = (what: string, why: string, cause?: unknown): TransportError =>
  new TransportError('KUBE_CONFIG', `the ${what} of the kubeconfig cannot be used: ${why}`, { cause });

function readNow(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TransportError('KUBE_CONFIG', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
