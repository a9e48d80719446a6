import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '@controller-sharding/shared/runtime/usage-error.ts';
import { parseExporterFlags } from './exporter-flags.ts';

test('without flags it serves beside the operator, and of its ring', async () => {
  assert.deepEqual(await parseExporterFlags([]), {
    kubeconfig: undefined,
    ring: 'webhosting-operator',
    leaseNamespace: undefined,
    logLevel: 'info',
    secureMetrics: false,
    healthAddress: { host: '', port: 8081 },
    metricsAddress: { host: '', port: 8080 },
  });
});

test('what makes no sense is named', async () => {
  for (const flag of ['--ring=Upper', '--metrics-address=here', '--workers=5', '--log-level=loud']) {
    await assert.rejects(parseExporterFlags([flag]), (error: unknown) => {
      assert.ok(error instanceof UsageError, flag);
      assert.match(error.message, new RegExp(/--?([a-z-]+)/.exec(flag)?.[1] ?? ''));
      return true;
    });
  }
});
