import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { type FlagValues, loadConfig } from './load-config.ts';

const head = 'apiVersion: config.sharding.timebertt.dev/v1alpha1\nkind: SharderConfig\n';

function load(text: string, flags: FlagValues = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  const file = join(folder, 'config.yaml');
  try {
    writeFileSync(file, text);
    return loadConfig(file, flags);
  } catch (error) {
    if (error instanceof Error) error.message = error.message.replaceAll(file, 'FILE');
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('without a file and flags everything has its default', () => {
  const config = loadConfig(undefined, {});
  assert.equal(config.controller.sharder.syncPeriod, 300_000);
  assert.equal(config.controller.sharder.concurrentMoves, 100);
  assert.equal(config.gracefulShutDown, 15_000);
  assert.deepEqual(config.health.bindAddress, { host: '', port: 8081 });
  assert.deepEqual(config.leaderElection.resourceNamespace, 'sharding-system');
  assert.equal(config.webhook.enabled, true);
});

test('a file of an existing installation works as it is', () => {
  const config = load(`${head}
clientConnection:
  kubeconfig: /etc/kubeconfig
  qps: 1000
  burst: 1500
  contentType: application/vnd.kubernetes.protobuf
  acceptContentTypes: ''
leaderElection:
  leaderElect: true
  leaseDuration: 15s
  renewDeadline: 10s
  retryPeriod: 2s
  resourceLock: leases
  resourceName: sharder
  resourceNamespace: other
debugging:
  enableProfiling: true
  enableContentionProfiling: false
health:
  bindAddress: :8081
metrics:
  bindAddress: "0"
webhook:
  server:
    certDir: /certs
    certName: cert.pem
    keyName: key.pem
  config:
    annotations:
      cert-manager.io/inject-ca-from: sharding-system/webhook-server
    clientConfig:
      service:
        namespace: sharding-system
        name: webhook
    namespaceSelector:
      matchLabels:
        sharded: "true"
controller:
  sharder:
    syncPeriod: 10m
gracefulShutDown: -1s
`);
  assert.equal(config.leaderElection.resourceNamespace, 'other');
  assert.equal(config.metrics.bindAddress, undefined);
  assert.equal(config.webhook.config.clientConfig.service?.name, 'webhook');
  assert.equal(config.controller.sharder.syncPeriod, 600_000);
  assert.equal(config.gracefulShutDown, Infinity);
});

test('flags win over the file', () => {
  const text = `${head}controller: {sharder: {concurrentMoves: 5, syncPeriod: 1m}}`;
  const { sharder } = load(text, {
    'concurrent-moves': 7,
    identity: 'x',
    'sync-period': undefined,
  }).controller;
  assert.deepEqual([sharder.concurrentMoves, sharder.syncPeriod], [7, 60_000]);
});

test('a section with nothing in it says nothing', () => {
  const config = load(`${head}webhook:\ncontroller:\n  sharder:\nhealth:\n  bindAddress: null\n`);
  assert.equal(config.webhook.enabled, true);
  assert.equal(config.controller.sharder.concurrentMoves, 100);
  assert.deepEqual(config.health.bindAddress, { host: '', port: 8081 });
});

const wrong: Array<[what: string, text: string, message: RegExp]> = [
  [
    'an unknown field',
    `${head}webhook: {server: {certdir: /x}}`,
    /^FILE: webhook\.server\.certdir: unknown field$/,
  ],
  ['an unknown field at the top', `${head}controllers: {}`, /^FILE: controllers: unknown field$/],
  [
    'a number without a unit',
    `${head}controller: {sharder: {syncPeriod: 5}}`,
    /^FILE: controller\.sharder\.syncPeriod: expected string, got 5$/,
  ],
  [
    'a wrong unit',
    `${head}gracefulShutDown: 5 minutes`,
    /^FILE: gracefulShutDown: "5 minutes" is not a duration, write it like/,
  ],
  [
    'no time for shards to let go of objects',
    `${head}controller: {sharder: {drainTimeout: 0s}}`,
    /^FILE: controller\.sharder\.drainTimeout: must be at least 1s$/,
  ],
  [
    'a longer Lease than anybody wants to wait for',
    `${head}leaderElection: {leaseDuration: 1000000h}`,
    /^FILE: leaderElection\.leaseDuration: must be whole seconds, at least 5s, at most 1h$/,
  ],
  ['an alias of nothing', `${head}webhook: *nothing`, /^--config: FILE.*nothing/],
  ['a negative duration', `${head}controller: {sharder: {syncPeriod: -5m}}`, /"-5m" is not a duration/],
  [
    'text for a number',
    `${head}controller: {sharder: {concurrentMoves: many}}`,
    /concurrentMoves: expected (int|number), got "many"$/,
  ],
  [
    'too small a number',
    `${head}controller: {sharder: {concurrentMoves: 0}}`,
    /concurrentMoves: expected at least 1, got 0$/,
  ],
  [
    'a wrong address',
    `${head}health: {bindAddress: "8081"}`,
    /^FILE: health\.bindAddress: "8081" is not an address/,
  ],
  ['text for a map', `${head}webhook: on`, /^FILE: webhook: expected object, got "on"$/],
  [
    'a wrong choice',
    `${head}logging: {level: loud}`,
    /^FILE: logging\.level: expected "trace" or .*, got "loud"$/,
  ],
  [
    'another kind',
    'apiVersion: v1\nkind: ConfigMap\n',
    /^FILE: apiVersion: expected "config\.sharding.*"; FILE: kind: expected "SharderConfig", got "ConfigMap"$/,
  ],
  [
    'no kind',
    'health: {}',
    /^FILE: apiVersion: expected .*, it is missing; FILE: kind: expected "SharderConfig", it is missing$/,
  ],
  ['a list', '- a', /holds no SharderConfig$/],
  ['nothing', '', /holds no SharderConfig$/],
  ['no YAML', 'a: [', /is not YAML/],
  ['a field twice', `${head}health: {}\nhealth: {}`, /is not YAML: Map keys must be unique/],
  [
    'too short a Lease',
    `${head}leaderElection: {leaseDuration: 4s}`,
    /^FILE: leaderElection\.leaseDuration: must be whole seconds, at least 5s, at most 1h$/,
  ],
  [
    'url and service',
    `${head}webhook: {config: {clientConfig: {url: "https://a", service: {namespace: a, name: b}}}}`,
    /has both url and service/,
  ],
  [
    'a URL that is not https',
    `${head}webhook: {config: {clientConfig: {url: "http://a"}}}`,
    /"http:\/\/a" is not of the form https/,
  ],
];

for (const [what, text, message] of wrong) {
  test(`${what} is told with its place and what is expected`, () => {
    assert.throws(
      () => load(text),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('a wrong flag is told by its name', () => {
  assert.throws(
    () => loadConfig(undefined, { 'sync-period': '5' }),
    /^UsageError: --sync-period: "5" is not a duration/,
  );
  assert.throws(
    () => loadConfig(undefined, { 'concurrent-moves': 0.5 }),
    /^UsageError: --concurrent-moves: expected int/,
  );
});

test('a file that can not be read is told', () => {
  assert.throws(() => loadConfig('/does/not/exist', {}), /--config: cannot read \/does\/not\/exist: ENOENT/);
});
