import { messageOf } from '@controller-sharding/shared/kube/errors.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { CertificateSource, WebhookCertificate } from './certificate-source.ts';

export interface CertificateKeeperOptions {
  source: CertificateSource;
  clock: Clock;
  logger: Logger;
  /** There is another certificate than before, or other authorities. */
  onChange(certificate: WebhookCertificate): void;
  /** There is none, or no newer one; in a line for people. */
  onProblem(problem: string): void;
}

const lookEveryMs = 10_000;

/** Keeps the webhook's certificate as its source has it. While the source has none, the last one stays in use. */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #present: WebhookCertificate | undefined;
  #problem: string | undefined;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
  }

  /** Undefined as long as there was none. */
  get present(): WebhookCertificate | undefined {
    return this.#present;
  }

  /** Looks once. Never rejects. */
  async look(signal: AbortSignal): Promise<void> {
    const { source, logger, onChange } = this.#options;
    try {
      const { certificate, problem } = await source.read(signal);
      if (!isSame(certificate, this.#present)) {
        this.#present = certificate;
        onChange(certificate);
        logger.info({ from: source.description }, 'the webhook has a new certificate');
      }
      if (problem === undefined) this.#problem = undefined;
      else this.#tell(problem);
    } catch (error) {
      if (!signal.aborted) this.#tell(error);
    }
  }

  /** Once, until it is another thing. */
  #tell(error: unknown): void {
    const { source, logger, onProblem } = this.#options;
    const meanwhile = this.#present ? 'the one in use stays' : 'objects are labelled after their creation';
    const problem = `no certificate for the webhook from ${source.description}, ${meanwhile}: ${messageOf(error)}`;
    if (problem === this.#problem) return;
    this.#problem = problem;
    logger.warn(problem);
    onProblem(problem);
  }

  /** Looks every ten seconds until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(lookEveryMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.look(signal);
    }
  }
}

const isSame = (a: WebhookCertificate, b: WebhookCertificate | undefined): boolean =>
  a.certificate === b?.certificate && a.key === b.key && a.authorities === b.authorities;
