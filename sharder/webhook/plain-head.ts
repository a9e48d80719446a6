/** The head of a request as the API server sends it, which asks for nothing but an answer to its body. */
export interface PlainHead {
  /** The request's target. */
  url: string;
  /** Of the head, with the empty line that ends it. */
  headBytes: number;
  bodyBytes: number;
}

const endOfHead = '\r\n\r\n';

/** These say how long the body is, change how it is read, or what becomes of the connection. */
const special = 'connection|content-length|expect|proxy-connection|te|trailer|transfer-encoding|upgrade';
/** Lines of a name and a value, as RFC 9112 §5 has them, with any other name. */
const others = "(?:\\r\\n(?!(?i:SPECIAL):)[!#$%&'*+\\-.^_`|~0-9A-Za-z]+:[\\t -~\\x80-\\xff]*)*".replace(
  'SPECIAL',
  special,
);
const length = '\\r\\n(?i:content-length):[\\t ]*(\\d{1,9})[\\t ]*';
const plain = new RegExp(`^POST (/[!-~]*) HTTP/1\\.1(?=[^]*\\r\\n(?i:host):)${others}${length}${others}$`);

/** Undefined if it isn't whole, or is anything else. */
export function plainHead(chunk: Buffer): PlainHead | undefined {
  const end = chunk.indexOf(endOfHead);
  if (end < 0) return undefined;
  const [, url, bytes] = plain.exec(chunk.toString('latin1', 0, end)) ?? [];
  if (url === undefined || bytes === undefined) return undefined;
  return { url, headBytes: end + endOfHead.length, bodyBytes: Number(bytes) };
}
