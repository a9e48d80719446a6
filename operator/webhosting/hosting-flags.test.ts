import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '@controller-sharding/shared/runtime/usage-error.ts';
import { hostingOptions } from './hosting-flags.ts';

const flags = (host?: string, secret?: string) => ({
  'ingress-host': host,
  'ingress-tls-secret': secret,
  'skip-workload': false,
});

test('hosts and Secrets are taken if they can be', () => {
  for (const host of [undefined, 'example.com', '*.example.com', 'localhost'])
    assert.equal(hostingOptions(flags(host)).ingressHost, host);
  assert.deepEqual(hostingOptions(flags('example.com', 'certificate')), {
    ingressHost: 'example.com',
    ingressTlsSecret: 'certificate',
    skipWorkload: false,
  });
});

const wrong: [host: string | undefined, secret: string | undefined, message: RegExp][] = [
  ['', undefined, /--ingress-host/],
  ['https://example.com', undefined, /--ingress-host/],
  ['EXAMPLE.com', undefined, /--ingress-host/],
  ['a..b', undefined, /--ingress-host/],
  [undefined, 'certificate', /--ingress-tls-secret: needs --ingress-host/],
  ['example.com', '*.certificate', /--ingress-tls-secret/],
  ['example.com', '', /--ingress-tls-secret/],
];
for (const [host, secret, message] of wrong) {
  test(`host ${JSON.stringify(host)} with Secret ${JSON.stringify(secret)} is wrong usage`, () => {
    assert.throws(
      () => hostingOptions(flags(host, secret)),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  });
}
