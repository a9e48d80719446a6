export type HarnessErrorCode = 'PORT_BUSY' | 'START_FAILED' | 'NOT_READY';

/** A control plane or a process didn't come up; the message says in a few lines why, and where its logs are. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
  readonly code: HarnessErrorCode;

  constructor(code: HarnessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
