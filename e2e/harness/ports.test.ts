import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort, isPortFree } from './ports.ts';

test('a port on which somebody listens is not free, and is not given', async (t) => {
  const port = await freePort();
  assert.ok(await isPortFree(port));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  assert.equal(await isPortFree(port), false);
  const same = (port - 20_000) / 12_000;
  const randoms = [same, 0.5];
  assert.notEqual(await freePort(() => randoms.shift() ?? Math.random()), port);
});

test('a port is given once, and below those of outgoing connections', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000));
});
