import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../runtime/logger.ts';
import { fixture } from './manager-fixture.ts';

test('health and metrics are served from the first moment to the last', async () => {
  const addresses: string[] = [];
  const logger = createLogger({
    level: 'debug',
    name: 'test',
    destination: {
      write(line) {
        const { address } = JSON.parse(line);
        if (address !== undefined) addresses.push(`http://${address}`);
      },
    },
  });
  const { clock, stop, manager, noting, start } = fixture({
    logger,
    healthAddress: '127.0.0.1:0',
    metricsAddress: '127.0.0.1:0',
  });
  const listed = Promise.withResolvers<void>();
  manager.add(noting('cache', { waitForSync: () => listed.promise }));
  manager.addController<string>({ name: 'test', reconcile: async () => {} });
  const { result, ending } = start();
  const answers = async (path: string): Promise<string[]> =>
    Promise.all(addresses.map(async (address) => (await fetch(address + path)).text()));
  const deadline = performance.now() + 10_000;
  while (manager.ready() !== 'not synced yet: cache') {
    assert.ok(performance.now() < deadline, String(manager.ready()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok((await answers('/readyz')).includes('not synced yet: cache\n'));
  assert.ok((await answers('/healthz')).includes('ok\n'));
  listed.resolve();
  await clock.advance(0);
  assert.ok((await answers('/readyz')).includes('ok\n'));
  assert.ok((await answers('/metrics')).some((text) => text.includes('controller_runtime_active_workers')));
  stop.abort();
  await clock.advance(0);
  assert.ok((await answers('/readyz')).includes('the manager is stopping\n'));
  await clock.advance(100);
  await ending;
  assert.deepEqual(result, { ended: true });
  await assert.rejects(answers('/healthz'), TypeError);
});

test('a server that can not listen ends the manager with its error', async () => {
  const { result, ending } = fixture({ healthAddress: '192.0.2.1:1' }).start();
  await ending;
  assert.match(String(result.error), /192\.0\.2\.1/);
});
