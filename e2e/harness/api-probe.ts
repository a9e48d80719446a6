import { Agent, request } from 'node:https';
import type { KeyAndCertificate } from './certificates.ts';

const REQUEST_TIMEOUT_MS = 2_000;

/** Asks an API server simple questions while it starts. */
export class ApiProbe {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, authority: string, { certificate, key }: KeyAndCertificate) {
    this.#url = url;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority, cert: certificate, key });
  }

  /** True when GET answers 200; false on any other answer, and when there is none within 2 s. */
  isOk(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request(
        `${this.#url}${path}`,
        { agent: this.#agent, timeout: REQUEST_TIMEOUT_MS },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve(answer.statusCode === 200));
          answer.once('error', () => resolve(false));
        },
      );
      asked.once('timeout', () => asked.destroy());
      asked.once('error', () => resolve(false));
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
