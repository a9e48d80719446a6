export type BinariesErrorCode =
  | 'CACHE_UNWRITABLE'
  | 'GO_MISSING'
  | 'GO_TOO_OLD'
  | 'BUILD_FAILED'
  | 'DOWNLOAD_FAILED';

/** Why a binary can't be had; the message says it in one or two lines, with what to do about it. */
export class BinariesError extends Error {
  override readonly name = 'BinariesError';
  readonly code: BinariesErrorCode;
  readonly exitCode = 1;

  constructor(code: BinariesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
