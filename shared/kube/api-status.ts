import { ApiError } from './errors.ts';
import { isProtobuf, readStatusDocument, type StatusDocument } from './wire/metadata-protobuf.ts';

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The error that a response of 4xx or 5xx stands for; its body is usually, but not always, a Status. */
export function errorOfResponse(status: number, retryAfter: string | undefined, body: Buffer): ApiError {
  const parsed = isProtobuf(body) ? readStatusDocument(body) : parseStatus(body.toString());
  const text = parsed ? '' : body.toString().trim().split('\n')[0]?.slice(0, 200);
  const message = parsed?.message || text || `the API server answered ${status}`;
  const seconds = Number(retryAfter ?? parsed?.details?.retryAfterSeconds ?? Number.NaN);
  return new ApiError(
    status,
    parsed?.reason || reasons[status] || 'Unknown',
    message,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  );
}

/** The error that an ERROR event of a watch stands for. */
export function errorOfStatus(object: unknown): ApiError {
  const status = (object ?? {}) as StatusDocument;
  const code = status.code ?? 500;
  const seconds = status.details?.retryAfterSeconds;
  return new ApiError(
    code,
    status.reason || reasons[code] || 'Unknown',
    status.message || 'the watch ended with an error',
    seconds ? seconds * 1000 : undefined,
  );
}

function parseStatus(body: string): StatusDocument | undefined {
  if (!body.trimStart().startsWith('{')) return undefined;
  try {
    const parsed: StatusDocument & { kind?: string } = JSON.parse(body);
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    return undefined;
  }
}
