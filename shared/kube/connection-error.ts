import { messageOf, TransportError } from './errors.ts';

/** Errors that end a connection before a request was written to it. */
const beforeSending: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name lookup failed',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
  ETIMEDOUT: 'connecting timed out',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by an unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
};

const afterSending: Record<string, string> = {
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
};

/** What undici says when a proxy makes no tunnel. */
const proxyRefusal = /^Proxy response \((\d+)\)/;

/** What went wrong with a connection to `server`, as a TransportError KUBE_CONNECTION of one line. */
export function connectionError(server: string, error: unknown): TransportError {
  const cause = rootOf(error);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const message = messageOf(cause);
  const refusal = proxyRefusal.exec(message)?.[1];
  const why = refusal
    ? `the proxy answered ${refusal}`
    : (beforeSending[code] ?? afterSending[code] ?? message);
  return new TransportError('KUBE_CONNECTION', `cannot reach the API server at ${server}: ${why}`, {
    cause: error,
    nothingSent: refusal !== undefined || code in beforeSending,
  });
}

/** A host with several addresses fails with one error for each; the first tells as much as all. */
function rootOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? rootOf(error.errors[0]) : error;
}
