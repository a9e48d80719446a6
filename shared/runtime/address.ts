import { UsageError } from './usage-error.ts';

/** Where to listen. */
export interface Address {
  /** Name or IP address (IPv6 without brackets); '' means all addresses of the machine. */
  host: string;
  /** 0: any free port. */
  port: number;
}

const form = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]\s/]*)):(?<port>\d{1,5})$/;

/**
 * An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `:8080` (all addresses), or `0` (off: undefined). Throws
 * UsageError that names `flag` for anything else.
 */
export function parseAddress(flag: string, text: string): Address | undefined {
  if (text === '0') return undefined;
  const { v6, host, port } = form.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) {
    throw new UsageError(`${flag}: "${text}" is not an address, write host:port, :port, or 0 for off`);
  }
  return { host: v6 ?? host ?? '', port: Number(port) };
}

/** The inverse of `parseAddress`. */
export const formatAddress = ({ host, port }: Address): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
