import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { UsageError } from './usage-error.ts';

const addresses: [string, Address | undefined][] = [
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  [':8080', { host: '', port: 8080 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
  ['0', undefined],
];
for (const [text, address] of addresses) {
  test(`the address ${text}`, () => {
    assert.deepEqual(parseAddress('--x', text), address);
    if (address !== undefined) assert.equal(formatAddress(address), text);
  });
}

for (const text of [
  '',
  '8080',
  'localhost',
  '127.0.0.1:65536',
  '::1:80',
  'http://x:80',
  'x:',
  'x:y',
  'a b:1',
]) {
  test(`"${text}" is refused, naming the flag`, () => {
    assert.throws(
      () => parseAddress('--metrics-address', text),
      (error) => error instanceof UsageError && error.message.startsWith('--metrics-address: '),
    );
  });
}
