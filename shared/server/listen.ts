import { type Address, formatAddress } from '../runtime/address.ts';

/** The server cannot be reached where it was told to be. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'LISTEN';
  readonly exitCode = 1;
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'no such address on this machine',
  EACCES: 'permission denied',
  ENOTFOUND: 'unknown host',
};

/** What is needed of a fastify server, with or without TLS. */
export interface Listener {
  listen(options: Address): Promise<unknown>;
  server: { address(): unknown };
}

/** Starts to listen; the address in use, with its port if any free one was asked for. Throws ListenError. */
export async function listen(listener: Listener, address: Address): Promise<Address> {
  try {
    await listener.listen({ host: address.host, port: address.port });
  } catch (error) {
    throw new ListenError(`cannot listen on ${formatAddress(address)}: ${reasonOf(error)}`, { cause: error });
  }
  const bound = listener.server.address();
  if (typeof bound !== 'object' || bound === null || !('port' in bound) || typeof bound.port !== 'number') {
    throw new ListenError(`cannot listen on ${formatAddress(address)}: not a TCP address`);
  }
  return { host: address.host, port: bound.port };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return reasons[code] ?? error.message;
}
