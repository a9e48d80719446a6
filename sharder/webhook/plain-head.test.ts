import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainHead } from './plain-head.ts';

const ofApiServer = [
  'POST /webhooks/sharder/controllerring/ring?timeout=5s HTTP/1.1',
  'Host: sharder.sharding-system.svc:443',
  'User-Agent: kube-apiserver-admission',
  'Content-Length: 17',
  'Accept: application/json, */*',
  'Content-Type: application/json',
  'Accept-Encoding: gzip',
];
const head = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
const changed = (from: string, to: string): Buffer =>
  head(ofApiServer.map((line) => (line.startsWith(from) ? to : line)));

test('the head that the API server sends is plain, with what follows it', () => {
  const bytes = head(ofApiServer);
  assert.deepEqual(plainHead(Buffer.concat([bytes, Buffer.from('{"request"')])), {
    url: '/webhooks/sharder/controllerring/ring?timeout=5s',
    headBytes: bytes.length,
    bodyBytes: 17,
  });
});

test('names of fields are plain in any case, and their values in any of the usual characters', () => {
  const bytes = head([
    ...ofApiServer.map((line, index) => (index === 0 ? line : line.toLowerCase())),
    'x:',
    'y: a\tb é',
  ]);
  assert.equal(plainHead(bytes)?.bodyBytes, 17);
});

const others: [what: string, bytes: Buffer][] = [
  ['a part of a head', head(ofApiServer).subarray(0, -1)],
  ['nothing', Buffer.alloc(0)],
  ['another method', changed('POST', 'GET /webhooks HTTP/1.1')],
  ['a method in small letters', changed('POST', 'post /webhooks HTTP/1.1')],
  ['another version', changed('POST', 'POST /webhooks HTTP/1.0')],
  ['a target that is no path', changed('POST', 'POST https://host/webhooks HTTP/1.1')],
  ['no host', head(ofApiServer.filter((line) => !line.startsWith('Host')))],
  ['no length', head(ofApiServer.filter((line) => !line.startsWith('Content-Length')))],
  ['two lengths', head([...ofApiServer, 'content-length: 17'])],
  ['a second length that is none', head([...ofApiServer, 'Content-Length: x'])],
  ['a length that is empty', changed('Content-Length', 'Content-Length:')],
  ['a length with a sign', changed('Content-Length', 'Content-Length: +17')],
  ['a length in hexadecimal', changed('Content-Length', 'Content-Length: 0x11')],
  ['several lengths in one', changed('Content-Length', 'Content-Length: 17, 17')],
  ['an enormous length', changed('Content-Length', 'Content-Length: 99999999999')],
  ['chunks', head([...ofApiServer, 'Transfer-Encoding: chunked'])],
  ['a wish to go on later', head([...ofApiServer, 'Expect: 100-continue'])],
  ['a connection that is to end', head([...ofApiServer, 'connection: close'])],
  ['the same in its older name', head([...ofApiServer, 'Proxy-Connection: close'])],
  ['a folded line', head([...ofApiServer, ' folded'])],
  ['a line without a colon', head([...ofApiServer, 'nonsense'])],
  ['a space before the colon', head([...ofApiServer, 'Accept : x'])],
  ['a bare line feed', head([...ofApiServer, 'Accept: x\nContent-Length: 5'])],
  ['a bare carriage return', head([...ofApiServer, 'Accept: x\rContent-Length: 5'])],
  ['a control character', head([...ofApiServer, 'Accept: \0'])],
  ['the preface of HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ['a handshake', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
];
for (const [what, bytes] of others) {
  test(`${what} is not plain`, () => assert.equal(plainHead(bytes), undefined));
}
