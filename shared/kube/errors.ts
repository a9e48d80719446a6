/** The API server answered, and the answer was no. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'KUBE_API';
  readonly status: number;
  /** Kubernetes' own word: `NotFound`, `Conflict`, `AlreadyExists`, `Expired`, … */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

export type TransportErrorCode =
  | 'KUBE_TIMEOUT'
  | 'KUBE_CONNECTION'
  | 'KUBE_CONFIG'
  | 'KUBE_UNKNOWN_RESOURCE'
  | 'KUBE_RESPONSE';

/** There was no (usable) answer: whether a write took effect is not known, unless nothing was sent. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;
  /** The request certainly did not reach the API server (no connection, no credentials). */
  readonly nothingSent: boolean;

  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions & { nothingSent?: boolean }) {
    super(message, options);
    this.code = code;
    this.nothingSent = options?.nothingSent ?? (code === 'KUBE_CONFIG' || code === 'KUBE_UNKNOWN_RESOURCE');
  }
}

const hasStatus = (error: unknown, status: number): boolean =>
  error instanceof ApiError && error.status === status;

export const isUnauthorized = (error: unknown): boolean => hasStatus(error, 401);
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404);
export const isConflict = (error: unknown): boolean => hasStatus(error, 409) && !isAlreadyExists(error);
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 409 && error.reason === 'AlreadyExists';
/** The resourceVersion asked for is no longer kept: list again. */
export const isGone = (error: unknown): boolean => hasStatus(error, 410);
/** Also the answer to a JSON patch whose `test` failed. */
export const isInvalid = (error: unknown): boolean => hasStatus(error, 422);
/** A `test` of a JSON patch failed: the API server says no more. What it finds invalid, it names. */
export const isFailedTest = (error: unknown): boolean =>
  isInvalid(error) &&
  error instanceof ApiError &&
  error.message === 'the server rejected our request due to an error in our request';
export const isForbidden = (error: unknown): boolean => hasStatus(error, 403);
export const isUnknownResource = (error: unknown): boolean =>
  error instanceof TransportError && error.code === 'KUBE_UNKNOWN_RESOURCE';

/** The fate of the request is open: it may have taken effect, or may yet. */
export const isFateUnknown = (error: unknown): boolean =>
  (error instanceof TransportError && !error.nothingSent) ||
  (error instanceof ApiError && error.status >= 500 && !failedInAdmission(error));

/** Webhooks are called before anything is stored. */
const failedInAdmission = ({ status, message }: ApiError): boolean =>
  status === 500 && message.includes('failed calling webhook');

/** What an error says, in one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
